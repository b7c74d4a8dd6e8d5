#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/models/model.h"
#include "engine/models/partners.h"

/// A model whose parts several processes hold and run together. Rank 0 leads: whoever has its model calls it as any other,
/// and each call is told to the others first, who serve.
namespace pareto::models {

/// Packs this process's part on the device that is its own. `partners` outlives it. As prepareModel.
Result<RunnableModel> prepareShard(const Shard& shard, const DeviceOptions& options, Partners& partners, Progress& progress,
                                   std::stop_token stop);

/// What all parts hold of a layer together, and how it runs.
struct ShardedLayer {
    std::uint64_t bytes = 0;
    std::string kernel;
};

struct ShardedModel {
    ModelLayout layout;     ///< of the whole model
    std::uint64_t bytes = 0;  ///< of all parts
    std::map<std::string, ShardedLayer> layers;
    std::int64_t number = 0;  ///< that the others know it by
    std::shared_ptr<Partners> partners;
};

/// Rank 0's part as the whole model. Observers hear of rank 0's part alone. A call that was told to the others is not
/// cancelled; what fails in one process only ends it for all (RankLost).
RunnableModel leadShards(ShardedModel model, RunnableModel part);
/// The others make it too, each its part of model `number`. `original`: without its recipe.
Status tellPrepare(Partners& partners, std::int64_t number, bool original, const std::vector<std::int32_t>& stageStarts);
/// Everybody ends what it serves.
Status tellEnd(Partners& partners);
/// Everybody says what it did so far (ShardServices::report).
Status tellReport(Partners& partners);
/// Everybody does what ShardServices::measureLink does.
Status tellMeasureLink(Partners& partners);
Status tellCompareClocks(Partners& partners);
/// Everybody begins to keep what it calls (`on`), or says what it kept (ShardServices::record).
Status tellRecord(Partners& partners, bool on);

struct ShardServices {
    std::function<Result<RunnableModel>(std::int64_t number, bool original, const std::vector<std::int32_t>& stageStarts)> prepare;
    std::function<Status()> report;
    std::function<Status()> measureLink;
    std::function<Status()> compareClocks;
    std::function<Status(bool on)> record;
};
/// What the other ranks do until rank 0 says that it is over.
Status serveShards(Partners& partners, const ShardServices& services);

}  // namespace pareto::models
