#include <map>

#include "engine/models/network.h"
#include "engine/models/shard_words.h"
#include "engine/models/sharded.h"

namespace pareto::models {
namespace {

Error unknown(const std::string& what) {
    return makeError(ErrorCode::EngineFailure,
                     {{"where", "a model in parts"}, {"reason", "the process that leads it names " + what}});
}

/// A value as what went well.
template <typename T>
Status done(const Result<T>& result) {
    return result.ok() ? Status(Done{}) : result.template failure<Done>();
}

class Server {
public:
    Server(Partners& partners, const ShardServices& services) : m_partners(partners), m_services(services) {}

    Status serve() {
        while (true) {
            PARETO_TRY(const auto words, m_partners.hear(kMostShardWords));
            WordReader read(words);
            const auto op = static_cast<ShardOp>(read.op());
            if (op == ShardOp::End) {
                return Done{};
            }
            PARETO_CHECK(one(op, read));
        }
    }

private:
    Status one(ShardOp op, WordReader& read) {
        switch (op) {
            case ShardOp::Report: return m_services.report();
            case ShardOp::MeasureLink: return m_services.measureLink();
            case ShardOp::CompareClocks: return m_services.compareClocks();
            case ShardOp::Record: return record(read);
            case ShardOp::DropCache:
            case ShardOp::Truncate:
            case ShardOp::Reorder: return cache(op, read);
            default: return model(op, read);
        }
    }

    Status record(WordReader& read) {
        const bool on = read.number() != 0;
        PARETO_CHECK(read.end());
        return m_services.record(on);
    }

    Status cache(ShardOp op, WordReader& read) {
        const auto number = read.number();
        const auto found = m_caches.find(number);
        if (found == m_caches.end()) {
            return unknown("the cache " + std::to_string(number));
        }
        if (op == ShardOp::DropCache) {
            PARETO_CHECK(read.end());
            m_caches.erase(found);
            return Done{};
        }
        auto& held = *found->second;
        if (op == ShardOp::Truncate) {
            const auto sequence = read.number();
            const auto length = read.number();
            PARETO_CHECK(read.end());
            if (sequence < 0 || sequence >= held.batch() || length < 0 || length > held.length(sequence)) {
                return unknown("tokens that a cache does not have");
            }
            held.truncate(sequence, length);
            return Done{};
        }
        const auto list = read.list();
        PARETO_CHECK(read.end());
        const std::vector<std::int64_t> parents(list.begin(), list.end());
        for (const auto parent : parents) {
            if (parent < 0 || parent >= held.batch()) {
                return unknown("sequences that a cache does not have");
            }
        }
        held.reorder(parents);
        return Done{};
    }

    Status model(ShardOp op, WordReader& read) {
        const auto number = read.number();
        if (op == ShardOp::Prepare) {
            const bool original = read.number() != 0;
            const auto starts = read.list();
            PARETO_CHECK(read.end());
            PARETO_TRY(auto made, m_services.prepare(number, original, starts));
            m_models.insert_or_assign(number, std::move(made));
            return Done{};
        }
        const auto found = m_models.find(number);
        if (found == m_models.end()) {
            return unknown("the model " + std::to_string(number));
        }
        const auto& one = found->second;
        if (op == ShardOp::Forget) {
            m_models.erase(found);
            return Done{};
        }
        return one.encoder ? encoder(op, *one.encoder, read) : one.decoder ? decoder(op, *one.decoder, read)
                                                                          : seq2seq(op, *one.seq2seq, read);
    }

    Status encoder(ShardOp op, Encoder& part, WordReader& read) {
        TokenBatch batch;
        batch.ids = read.lists();
        batch.typeIds = read.lists();
        const auto wanted = op == ShardOp::TokenOutputs ? read.lists() : IdLists();
        PARETO_CHECK(read.end());
        switch (op) {
            case ShardOp::Run: return done(part.run(batch, {}));
            case ShardOp::TokenOutputs: return done(part.tokenOutputs(batch, wanted, {}));
            case ShardOp::HiddenStates: return done(part.hiddenStates(batch, {}));
            default: return unknown("what an encoder does not do");
        }
    }

    Status decoder(ShardOp op, Decoder& part, WordReader& read) {
        if (op == ShardOp::NewCaches) {
            const auto count = read.number();
            std::vector<std::pair<std::int64_t, std::int64_t>> wanted;
            for (std::int64_t i = 0; i < count && read.good(); ++i) {
                const auto number = read.number();
                wanted.emplace_back(number, read.number());
            }
            PARETO_TRY(const auto options, cacheOptions(read));
            for (const auto& [number, sequences] : wanted) {
                PARETO_TRY(auto made, part.newCache(sequences, options));
                m_caches.insert_or_assign(number, std::move(made));
            }
            return Done{};
        }
        if (op == ShardOp::Likelihoods) {
            const auto ids = read.list();
            PARETO_CHECK(read.end());
            return done(part.negativeLogLikelihoods(ids, {}));
        }
        if (op != ShardOp::Step) {
            return unknown("what a decoder does not do");
        }
        const bool everyToken = read.number() != 0;
        PARETO_TRY(const auto steps, stepsOf(read));
        return done(dynamic_cast<StagedDecoder&>(part).steps(steps, everyToken));
    }

    Status seq2seq(ShardOp op, Seq2Seq& part, WordReader& read) {
        if (op == ShardOp::EncodeSources) {
            TokenBatch sources;
            sources.ids = read.lists();
            const auto copies = read.number();
            const auto number = read.number();
            PARETO_TRY(const auto options, cacheOptions(read));
            PARETO_TRY(auto made, part.encode(sources, copies, options, {}));
            m_caches.insert_or_assign(number, std::move(made));
            return Done{};
        }
        if (op == ShardOp::Step) {
            (void)read.number();
            PARETO_TRY(const auto steps, stepsOf(read));
            for (const auto& step : steps) {
                PARETO_CHECK(done(part.step(step.ids, *step.cache, {})));
            }
            return Done{};
        }
        const auto source = read.list();
        const auto target = op == ShardOp::TargetLogits ? read.list() : std::vector<std::int32_t>();
        PARETO_CHECK(read.end());
        switch (op) {
            case ShardOp::TargetLogits: return done(part.logits(source, target, {}));
            case ShardOp::EncoderStates: return done(part.encoderStates(source, {}));
            default: return unknown("what an encoder-decoder model does not do");
        }
    }

    Result<CacheOptions> cacheOptions(WordReader& read) {
        CacheOptions out;
        out.capacity = read.number();
        const auto format = read.number();
        PARETO_CHECK(read.end());
        if (format >= 0) {
            out.format = static_cast<CacheFormat>(format);
        }
        return out;
    }

    Result<std::vector<CacheStep>> stepsOf(WordReader& read) {
        std::vector<CacheStep> out;
        const auto count = read.number();
        for (std::int64_t i = 0; i < count && read.good(); ++i) {
            const auto number = read.number();
            auto ids = read.lists();
            const auto found = m_caches.find(number);
            if (found == m_caches.end()) {
                return unknown("the cache " + std::to_string(number));
            }
            out.push_back({std::move(ids), found->second.get()});
        }
        PARETO_CHECK(read.end());
        return out;
    }

    Partners& m_partners;
    const ShardServices& m_services;
    std::map<std::int64_t, RunnableModel> m_models;
    std::map<std::int64_t, std::unique_ptr<KvCache>> m_caches;  ///< end before their models
};

}  // namespace

Status serveShards(Partners& partners, const ShardServices& services) { return Server(partners, services).serve(); }

}  // namespace pareto::models
