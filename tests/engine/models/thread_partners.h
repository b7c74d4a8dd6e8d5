#pragma once

// The parts of a model on threads of the test.
#include <atomic>
#include <list>
#include <memory>
#include <thread>

#include "engine/models/network.h"
#include "engine/models/sharded.h"
#include "engine/runtime/torch_tensor.h"
#include "tests/support/meeting_place.h"

namespace pareto::test {

/// Where the ranks of tp × pp meet: all, those of a stage, neighbours, the first and the last.
struct ShardPlaces {
    ShardPlaces(int tp, int pp) : tp(tp), pp(pp), all(tp * pp), ends(2) {
        for (int stage = 0; stage < pp; ++stage) {
            stages.emplace_back(tp);
        }
        for (int pair = 0; pair < tp * (pp - 1); ++pair) {
            pairs.emplace_back(2);
        }
    }
    MeetingPlace& stage(int number) { return *std::next(stages.begin(), number); }
    MeetingPlace& pair(int stage, int part) { return *std::next(pairs.begin(), stage * tp + part); }
    void end() {
        for (auto* list : {&stages, &pairs}) {
            for (auto& place : *list) {
                place.end();
            }
        }
        all.end();
        ends.end();
    }

    int tp;
    int pp;
    MeetingPlace all;
    MeetingPlace ends;
    std::list<MeetingPlace> stages;
    std::list<MeetingPlace> pairs;
    std::atomic<int> direct{0};  ///< calls from device to device
};

class ThreadPartners : public models::Partners {
public:
    /// `direct`: devices exchange what they hold from memory to memory of their own.
    ThreadPartners(ShardPlaces& places, int rank, bool direct = false)
        : m_places(places), m_place{places.tp, places.pp, rank}, m_direct(*this), m_isDirect(direct) {}

    models::Exchange* onDevice() override { return m_isDirect ? &m_direct : nullptr; }

    ShardPlace place() const override { return m_place; }
    Status sum(std::span<float> values) override {
        return ofStage(values, [](auto& all) { reduceSpans(all, [](float a, float b) { return a + b; }); });
    }
    Status largest(std::span<float> values) override {
        return ofStage(values, [](auto& all) { reduceSpans(all, [](float a, float b) { return std::max(a, b); }); });
    }
    Status gather(std::span<const float> own, std::span<const std::size_t> counts, std::span<float> all) override {
        std::size_t at = 0;
        for (int part = 0; part < m_place.part(); ++part) {
            at += counts[static_cast<std::size_t>(part)];
        }
        std::copy(own.begin(), own.end(), all.begin() + static_cast<std::ptrdiff_t>(at));
        const std::vector<std::size_t> lengths(counts.begin(), counts.end());
        return ofStage(all, [lengths](MeetingPlace::Spans& spans) {
            std::size_t begin = 0;
            for (std::size_t part = 0; part < spans.size(); ++part) {
                for (const auto& other : spans) {
                    if (other.data() != spans[part].data()) {
                        std::copy_n(floatsOf(spans[part]).data() + begin, lengths[part], floatsOf(other).data() + begin);
                    }
                }
                begin += lengths[part];
            }
        });
    }
    Status giveNext(std::span<float> values) override { return give(m_places.pair(m_place.stage(), m_place.part()), 0, values); }
    Status takePrevious(std::span<float> values) override {
        return give(m_places.pair(m_place.stage() - 1, m_place.part()), 1, values);
    }
    Status giveFirst(std::span<float> values) override { return give(m_places.ends, 0, values); }
    Status takeLast(std::span<float> values) override { return give(m_places.ends, 1, values); }

    Status tell(const std::vector<std::int32_t>& words) override {
        auto said = words;
        auto length = static_cast<std::int32_t>(said.size());
        PARETO_CHECK(give(m_places.all, 0, {reinterpret_cast<float*>(&length), 1}));
        return give(m_places.all, 0, {reinterpret_cast<float*>(said.data()), said.size()});
    }
    Result<std::vector<std::int32_t>> hear(std::size_t) override {
        std::int32_t length = 0;
        PARETO_CHECK(give(m_places.all, m_place.rank, {reinterpret_cast<float*>(&length), 1}));
        std::vector<std::int32_t> out(static_cast<std::size_t>(length));
        PARETO_CHECK(give(m_places.all, m_place.rank, {reinterpret_cast<float*>(out.data()), out.size()}));
        return out;
    }
    void breakUp(const std::string&) override { m_places.end(); }

private:
    /// The same calls, noted.
    class Direct : public models::Exchange {
    public:
        explicit Direct(ThreadPartners& partners) : m_partners(partners) {}
        Status sum(std::span<float> values) override { return noted(m_partners.sum(values)); }
        Status gather(std::span<const float> own, std::span<const std::size_t> counts, std::span<float> all) override {
            return noted(m_partners.gather(own, counts, all));
        }
        Status giveNext(std::span<float> values) override { return noted(m_partners.giveNext(values)); }
        Status takePrevious(std::span<float> values) override { return noted(m_partners.takePrevious(values)); }

    private:
        Status noted(Status status) {
            ++m_partners.m_places.direct;
            return status;
        }
        ThreadPartners& m_partners;
    };

    static Status ended(bool met) {
        return met ? Status(Done{})
                   : Status(makeError(ErrorCode::RankLost, {{"rank", "?"}, {"host", "?"}, {"reason", "ended"}}));
    }
    Status ofStage(std::span<float> values, const std::function<void(MeetingPlace::Spans&)>& together) {
        return ended(m_places.stage(m_place.stage()).meet(m_place.part(), std::as_writable_bytes(values), together));
    }
    static Status give(MeetingPlace& place, int rank, std::span<float> values) {
        return ended(place.meet(rank, std::as_writable_bytes(values), copyFirst));
    }

    ShardPlaces& m_places;
    ShardPlace m_place;
    Direct m_direct;
    bool m_isDirect;
};

/// A model in parts, of which all but the first are on threads of their own.
class ShardedOnThreads {
public:
    /// `device`: that all compute on; null: the CPU. `direct`: see ThreadPartners.
    static Result<std::unique_ptr<ShardedOnThreads>> make(const LoadedModel& whole, int tp, int pp,
                                                          const runtime::Device* device = nullptr, bool direct = false) {
        std::unique_ptr<ShardedOnThreads> out(new ShardedOnThreads(tp, pp));
        const auto starts = stageStarts(blockCosts(whole.layout), pp);
        std::vector<Shard> shards;
        for (int rank = 0; rank < tp * pp; ++rank) {
            PARETO_TRY(auto shard, shardOf(whole, {tp, pp, rank}, starts));
            shards.push_back(std::move(shard));
        }
        for (int rank = 1; rank < tp * pp; ++rank) {
            out->m_threads.emplace_back([raw = out.get(), rank, device, direct, shard = shards[static_cast<std::size_t>(rank)]] {
                ThreadPartners partners(raw->m_places, rank, direct);
                models::ShardServices services;
                services.prepare = [&](std::int64_t, bool, const std::vector<std::int32_t>&) {
                    return prepareOn(device, shard, partners);
                };
                if (const auto served = models::serveShards(partners, services); !served.ok()) {
                    raw->m_places.end();
                }
            });
        }
        models::ShardedModel model;
        model.layout = whole.layout;
        model.number = 1;
        model.partners = std::make_shared<ThreadPartners>(out->m_places, 0, direct);
        out->m_partners = model.partners;
        PARETO_CHECK(models::tellPrepare(*model.partners, 1, false, starts));
        PARETO_TRY(auto part, prepareOn(device, shards[0], *model.partners));
        out->m_model = models::leadShards(std::move(model), std::move(part));
        return out;
    }
    ~ShardedOnThreads() {
        m_model = {};
        if (m_partners == nullptr || !models::tellEnd(*m_partners).ok()) {
            m_places.end();
        }
    }
    const models::RunnableModel& model() const { return m_model; }
    models::Partners& partners() const { return *m_partners; }
    int directCalls() const { return m_places.direct; }

private:
    ShardedOnThreads(int tp, int pp) : m_places(tp, pp) {}
    static Result<models::RunnableModel> prepareOn(const runtime::Device* device, const Shard& shard, models::Partners& partners) {
        Progress progress;
        if (device == nullptr) {
            return models::prepareShard(shard, {.device = "cpu", .threads = 1}, partners, progress, {});
        }
        const HeldTensors held(shard.model);
        models::PrepareInputs inputs{held, *device, progress, {}};
        inputs.shard = &shard;
        inputs.partners = &partners;
        return runtime::guarded("packing the weights", [&] { return models::prepareGraph(inputs); });
    }
    ShardPlaces m_places;
    std::shared_ptr<models::Partners> m_partners;
    std::vector<std::jthread> m_threads;
    models::RunnableModel m_model;
};

}  // namespace pareto::test
