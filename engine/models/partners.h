#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/weights/shard.h"

namespace pareto::models {

/// Values that go between processes with parts of one model. Each call is made by all whom it concerns, in the same order, and
/// waits for them.
class Exchange {
public:
    virtual ~Exchange() = default;
    /// Among the parts that share this one's blocks. Sums are the same bits in all of them.
    virtual Status sum(std::span<float> values) = 0;
    /// counts[i] values of part i, one part behind the other.
    virtual Status gather(std::span<const float> own, std::span<const std::size_t> counts, std::span<float> all) = 0;
    /// The same part of the stage behind this one, and before it.
    virtual Status giveNext(std::span<float> values) = 0;
    virtual Status takePrevious(std::span<float> values) = 0;
};

/// The other processes that hold parts of the same model. `jobs/run` puts engine/dist behind it.
class Partners : public Exchange {
public:
    virtual ShardPlace place() const = 0;
    /// For spans of this process's device, whose memory the host does not read; null: they go through the host's. The same
    /// as long as these are, in all processes alike.
    virtual Exchange* onDevice() { return nullptr; }

    /// As sum().
    virtual Status largest(std::span<float> values) = 0;
    /// From part 0 of the last stage to rank 0, where these are not one.
    virtual Status giveFirst(std::span<float> values) = 0;
    virtual Status takeLast(std::span<float> values) = 0;

    /// What all are to do next, which rank 0 says. RankUnfit: more than `most` words.
    virtual Status tell(const std::vector<std::int32_t>& words) = 0;
    virtual Result<std::vector<std::int32_t>> hear(std::size_t most) = 0;
    /// The processes no longer do the same, from here on: all calls, everywhere, answer RankLost.
    virtual void breakUp(const std::string& reason) = 0;
};

}  // namespace pareto::models
