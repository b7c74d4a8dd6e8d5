#pragma once

#include <memory>
#include <stop_token>

#include "engine/dist/group.h"
#include "engine/weights/shard.h"

namespace pareto::jobs {

/// The ranks that a process with a part of a model exchanges values with.
struct PartCircles {
    std::unique_ptr<dist::Circle> stage;     ///< that share this one's blocks; null: there is one part
    std::unique_ptr<dist::Circle> previous;  ///< with the stage before
    std::unique_ptr<dist::Circle> next;      ///< with the stage behind
    std::unique_ptr<dist::Circle> ends;      ///< rank 0 and the last stage, where these are not neighbours

    /// All of the group at once, in the same order: circles of stages, then of neighbours from the first stage on, then of the ends.
    static Result<PartCircles> make(dist::Group& group, const ShardPlace& place, std::stop_token stop);
};

}  // namespace pareto::jobs
