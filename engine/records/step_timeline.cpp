#include "engine/records/step_timeline.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/records/numbers.h"
#include "engine/records/trace_events.h"

namespace pareto {
namespace {

constexpr std::array<std::string_view, kPartDoings> kNames{"compute",   "sum",        "hand",
                                                           "wait_part", "wait_stage", "idle"};
constexpr double kMostSeconds = 1e9;
constexpr std::int64_t kMostRanks = 65536;
constexpr double kMicro = 1e6;

/// To 0.1 µs: clocks tell no more, and files stay small.
double microseconds(double seconds) { return std::round(seconds * kMicro * 10.0) / 10.0; }

PartDoing waitOf(PartDoing call) {
    return call == PartDoing::Sum    ? PartDoing::WaitPart
           : call == PartDoing::Hand ? PartDoing::WaitStage
                                     : PartDoing::Idle;
}

PartShares sharesOf(const std::vector<PartSegment>& segments, double seconds, bool pipeline) {
    std::array<double, kPartDoings> spent{};
    for (const auto& segment : segments) {
        spent[static_cast<std::size_t>(segment.doing)] += segment.end - segment.begin;
    }
    const auto share = [&](std::initializer_list<PartDoing> of) {
        double sum = 0.0;
        for (const auto doing : of) {
            sum += spent[static_cast<std::size_t>(doing)];
        }
        return seconds > 0.0 ? sum / seconds : 0.0;
    };
    PartShares out;
    out.compute = share({PartDoing::Compute});
    out.transfer = share({PartDoing::Sum, PartDoing::Hand});
    out.wait = share({PartDoing::WaitPart, PartDoing::WaitStage, PartDoing::Idle});
    if (pipeline) {
        out.bubble = share({PartDoing::WaitStage, PartDoing::Idle});
    }
    return out;
}

Json stepToJson(const PartStep& step) {
    Json kind = Json::array(), begin = Json::array(), duration = Json::array();
    for (const auto& segment : step.segments) {
        kind.push_back(static_cast<int>(segment.doing));
        // Of rounded ends, so that a segment ends where the next one begins.
        begin.push_back(microseconds(segment.begin));
        duration.push_back(
            std::round((microseconds(segment.end) - microseconds(segment.begin)) * 10.0) / 10.0);
    }
    Json out{{"name", step.name},
             {"begin_us", microseconds(step.begin)},
             {"duration_us", microseconds(step.seconds)},
             {"compute", step.shares.compute},
             {"transfer", step.shares.transfer},
             {"wait", step.shares.wait},
             {"left_out", step.leftOut},
             {"kind", std::move(kind)},
             {"segment_begin_us", std::move(begin)},
             {"segment_us", std::move(duration)}};
    if (step.shares.bubble) {
        out["bubble"] = *step.shares.bubble;
    }
    return out;
}

Error broken(const std::string& reason) {
    return makeError(ErrorCode::ConfigInvalid,
                     {{"file", "a run"}, {"field", "timeline"}, {"reason", reason}});
}

Result<PartStep> stepFromJson(const Json& json) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, "a run", "timeline.steps");
    PartStep out;
    out.name = reader.text("name");
    out.begin = reader.number("begin_us", 0.0, 0.0, kMostSeconds * kMicro) / kMicro;
    out.seconds = reader.number("duration_us", 0.0, 0.0, kMostSeconds * kMicro) / kMicro;
    out.shares.compute = reader.number("compute", 0.0, 0.0, 1.0001);
    out.shares.transfer = reader.number("transfer", 0.0, 0.0, 1.0001);
    out.shares.wait = reader.number("wait", 0.0, 0.0, 1.0001);
    if (reader.has("bubble")) {
        out.shares.bubble = reader.number("bubble", 0.0, 0.0, 1.0001);
    }
    out.leftOut = reader.integer("left_out", 0, 0, std::int64_t{1} << 40);
    const auto kind = takeIntegers(reader, "kind");
    const auto begin = takeNumbers(reader, "segment_begin_us");
    const auto duration = takeNumbers(reader, "segment_us");
    PARETO_CHECK(reader.status());
    if (begin.size() != kind.size() || duration.size() != kind.size()) {
        return broken("has columns of different lengths");
    }
    for (std::size_t i = 0; i < kind.size(); ++i) {
        const bool fits = kind[i] >= 0 && kind[i] < kPartDoings && begin[i] >= 0.0 &&
                          duration[i] >= 0.0 && begin[i] <= kMostSeconds * kMicro &&
                          duration[i] <= kMostSeconds * kMicro;
        if (!fits) {
            return broken("says what cannot be: segment " + std::to_string(i) + " of \"" +
                          out.name + "\"");
        }
        out.segments.push_back({static_cast<PartDoing>(kind[i]), begin[i] / kMicro,
                                (begin[i] + duration[i]) / kMicro});
    }
    return out;
}

}  // namespace

std::string_view nameOf(PartDoing doing) { return kNames[static_cast<std::size_t>(doing)]; }

PartStep partStep(std::span<const PartCall> calls, const StepWindow& window, bool pipeline,
                  std::size_t most) {
    PartStep out;
    out.name = window.name;
    out.seconds = std::max(0.0, window.end - window.begin);
    double at = 0.0;
    const auto until = [&](PartDoing doing, double end, bool even) {
        const double cut = std::clamp(end, at, out.seconds);
        if (cut > at || even) {
            out.segments.push_back({doing, at, cut});
            at = cut;
        }
    };
    for (const auto& call : calls) {
        const double begin = call.begin - window.begin;
        const double end = call.end - window.begin;
        if (end <= 0.0 || begin >= out.seconds) {
            continue;
        }
        until(PartDoing::Compute, begin, false);
        until(waitOf(call.doing), begin + std::clamp(call.waited, 0.0, end - begin), false);
        // A call that only waited still was one.
        until(call.doing, end, true);
    }
    until(PartDoing::Compute, out.seconds, false);
    out.shares = sharesOf(out.segments, out.seconds, pipeline);
    if (out.segments.size() > most) {
        out.leftOut = static_cast<std::int64_t>(out.segments.size() - most);
        out.segments.resize(most);
    }
    return out;
}

Json timelineToJson(const PartTimeline& timeline) {
    Json out{{"stage", timeline.stage},
             {"clock_error_us", microseconds(timeline.clockError)},
             {"waits_known", timeline.waitsKnown},
             {"left_out", timeline.leftOut},
             {"kinds", kNames},
             {"steps", Json::array()}};
    for (const auto& step : timeline.steps) {
        out["steps"].push_back(stepToJson(step));
    }
    return out;
}

Result<std::vector<PartTimeline>> partTimelinesFromJson(const Json& parts) {
    std::vector<PartTimeline> out;
    for (const auto& part : parts.is_array() ? parts : Json::array()) {
        JsonReader reader(part, ErrorCode::ConfigInvalid, "a run", "parts");
        const Json* found = reader.find("timeline");
        if (found == nullptr) {
            continue;
        }
        PartTimeline one;
        one.rank = static_cast<int>(reader.integer("rank", 0, 0, kMostRanks));
        one.host = reader.text("host");
        PARETO_CHECK(reader.status());
        JsonReader timeline(*found, ErrorCode::ConfigInvalid, "a run", "timeline");
        one.stage = static_cast<int>(timeline.integer("stage", 0, 0, kMostRanks));
        one.clockError =
            timeline.number("clock_error_us", 0.0, 0.0, kMostSeconds * kMicro) / kMicro;
        one.waitsKnown = timeline.boolean("waits_known", true);
        one.leftOut = takeTexts(timeline, "left_out");
        if (timeline.has("kinds") && *timeline.find("kinds") != Json(kNames)) {
            timeline.fail("kinds", "are not the ones that this version knows");
        }
        PARETO_CHECK(timeline.status());
        const Json* steps = timeline.find("steps");
        for (const auto& step : steps != nullptr && steps->is_array() ? *steps : Json::array()) {
            PARETO_TRY(auto read, stepFromJson(step));
            one.steps.push_back(std::move(read));
        }
        out.push_back(std::move(one));
    }
    return out;
}

Json chromeTrace(const std::vector<PartTimeline>& timelines, const std::string& title) {
    constexpr int kProcess = 1;
    Json events = Json::array();
    events.push_back(trace::named("process_name", title, kProcess, 0));
    for (const auto& timeline : timelines) {
        events.push_back(trace::named("thread_name",
                                      "rank " + std::to_string(timeline.rank) + ", stage " +
                                          std::to_string(timeline.stage) + ", " + timeline.host,
                                      kProcess, timeline.rank));
        for (const auto& step : timeline.steps) {
            Json whole = trace::complete(kProcess, timeline.rank, microseconds(step.begin),
                                         microseconds(step.seconds));
            whole["name"] = step.name;
            whole["cat"] = "step";
            events.push_back(std::move(whole));
            for (const auto& segment : step.segments) {
                Json one = trace::complete(kProcess, timeline.rank,
                                           microseconds(step.begin + segment.begin),
                                           microseconds(segment.end - segment.begin));
                one["name"] = nameOf(segment.doing);
                one["cat"] = segment.doing == PartDoing::Compute ? "compute"
                             : segment.doing == PartDoing::Sum || segment.doing == PartDoing::Hand
                                 ? "transfer"
                                 : "wait";
                events.push_back(std::move(one));
            }
        }
    }
    return {{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}};
}

}  // namespace pareto
