#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/compress/input_scaling.h"
#include "engine/compress/output_quality.h"
#include "engine/compress/pipeline.h"
#include "engine/compress/prune/pattern.h"
#include "engine/compress/prune/structure.h"

namespace pareto::compress {

/// What a pass did to a layer beside what its tensor shows, and what that did to its output.
struct LayerOutcome {
    std::vector<float> rowScales;  ///< the layer acts as if it held  weight · rows / columns; empty: all 1
    std::vector<float> colScales;
    std::optional<OutputQuality> quality;
    std::optional<Spectrum> spectrum;
    std::optional<double> scaling;  ///< SmoothQuant's α or AWQ's ratio that its input was scaled with
    double seconds = 0.0;
};

SparsityPattern patternOf(const LayerPlan& plan);

/// What one pass works on. The layout keeps the names and numbers of the original throughout, so that the
/// plans, which are numbered as it is, hold.
struct BlockPassJob {
    LoadedModel& model;      ///< gets the compressed weights
    LoadedModel& reference;  ///< as the model was before any single weight changed; cut as the model is
    ResolvedRecipe& plans;   ///< sparsities change where they are divided among blocks
    const std::vector<bool>& removed;                 ///< blocks
    std::vector<std::vector<std::int64_t>>& kept;     ///< of each group; empty: all units stay
    const UnitImportance& importance;                 ///< found before the pass
    bool rounds = true;                               ///< whether the recipe quantizes
    bool measures = false;                            ///< outputs of every block, whatever its methods need
};

/// One pass over the blocks for methods that look at what layers read. Of each block: its inputs are measured,
/// scales are folded into what makes them, each layer is pruned, then rounded, and the samples go through the
/// result. Everything is measured with the block as it was, behind compressed blocks.
class BlockPass {
public:
    BlockPass(BlockPassJob job, BlockInputs& inputs, Progress& progress, std::stop_token stop,
              const CompressTools& tools);
    Status run();

    /// By the layer's index; layers that calibration did not touch have none.
    const std::map<int, LayerOutcome>& outcomes() const { return m_outcomes; }
    const std::vector<std::string>& notes() const { return m_notes; }

private:
    using Measured = std::map<std::string, std::shared_ptr<const InputStatistics>>;

    const ModelLayout& layout() const { return m_job.model.layout; }
    const LayerInfo& layer(int index) const { return layout().layers[static_cast<std::size_t>(index)]; }
    const LayerPlan& plan(int index) const { return m_job.plans.layers[static_cast<std::size_t>(index)]; }
    bool gone(int block) const { return m_job.removed[static_cast<std::size_t>(block)]; }
    bool isCalibratedBlock(const BlockInfo& block) const;
    /// Whether the layer's weight will be rounded to integers in this pass.
    bool rounds(int index) const;
    LayerContext contextOf(const LayerInfo& layer) const;

    Status compressBlock(int number);
    void releaseOriginals(const BlockInfo& block) const;
    void findSpectra(const BlockInfo& block, const Measured& measured);
    Status cutUnits(int number, Measured& seen);
    Status cutGroup(int group, Measured& seen);
    Status scaleInputs(int number, Measured& seen);
    Status scaleInput(const ScalingSite& site, Measured& seen);
    Status compressLayer(int index, const InputStatistics* statistics);
    Result<Tensor> compressed(int index, const Tensor& weight, const InputStatistics* statistics);
    Result<Tensor> pruned(int index, const Tensor& weight, const InputStatistics& statistics);
    void correctBias(int index, const Tensor& before, const InputStatistics& statistics);
    /// The weight as it acts between the model's unscaled inputs and outputs, zeros where units are gone.
    Tensor acting(int index) const;
    Tensor actingBias(int index, const Tensor& held) const;
    Status replaceInputs(int number);

    BlockPassJob m_job;
    BlockInputs& m_inputs;
    Progress& m_progress;
    std::stop_token m_stop;
    const CompressTools& m_tools;
    std::map<int, LayerOutcome> m_outcomes;
    std::map<int, std::int64_t> m_cutHere;  ///< groups cut in this pass: their units before
    std::vector<std::string> m_notes;
    std::int64_t m_unfolded = 0;  ///< layers that wanted a scaled input and have no place to fold it
};

}  // namespace pareto::compress
