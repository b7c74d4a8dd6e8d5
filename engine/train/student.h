#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/models/model.h"
#include "engine/models/network.h"
#include "engine/spec/recover.h"
#include "engine/spec/resolve.h"
#include "engine/train/adapters.h"
#include "engine/train/optimizer.h"
#include "engine/train/sparsify.h"

namespace pareto::train {

/// A model's graph with what training adds to it: masks, pruning on the way, adapters, fake quantization, parameters for
/// an optimizer.
class Student {
public:
    /// `plans` as train() says; `steps`: of the optimizer, on whose way zeros are chosen. RecipeInvalid (see Adapters; a
    /// part of the model that it does not have). Throws what libtorch throws.
    static Result<std::unique_ptr<Student>> create(const LoadedModel& model, const models::PrepareInputs& inputs,
                                                   const RecoverSpec& spec, const std::vector<LayerPlan>& plans,
                                                   std::int64_t steps, std::uint64_t seed);
    ~Student();
    Student(const Student&) = delete;
    Student& operator=(const Student&) = delete;

    models::GradientGraph& graph() { return *m_graph; }
    const ModelLayout& layout() const { return m_layout; }
    /// All that is learned, by name: canonical tensor names, "quantize.<layer>.ratios", "quantize.<layer>.input",
    /// "adapter.<layer>.a" and ".b", "prune.<layer>.scores". Inputs' scales are there from the first pass on.
    std::map<std::string, at::Tensor> parameters() const;
    /// All that a restored student needs: parameters() and what Sparsifier::state() has beside them.
    std::map<std::string, at::Tensor> state() const;
    /// What addTo() has not seen yet goes to the optimizer.
    void addTo(AdamW& optimizer);
    /// Added to the loss; undefined: nothing.
    at::Tensor penalty() const;
    /// Gradients of held zeros become 0.
    void maskGradients() const;
    /// Behind a step of the optimizer: held zeros become 0 again, and more are chosen where that is due.
    void stepDone(std::int64_t step);
    const Sparsifier& sparsifier() const { return m_sparsifier; }
    /// Zeros that are still to come are chosen at once.
    void complete() { m_sparsifier.complete(); }
    void setDropout(double share);
    /// See FakeInput.
    void setHighest(const std::function<double(double)>& highest);
    void setShare(double ofTokens);
    /// Values from state() of an equal student; names that it does not know are scales of inputs.
    void restore(const std::map<std::string, at::Tensor>& values);
    /// The model with the values as they are now.
    LoadedModel snapshot(const LoadedModel& original) const;
    /// Layers whose zeros are held.
    std::int64_t maskedLayers() const;

private:
    struct Rounded;
    Student(const LoadedModel& model, const models::PrepareInputs& inputs, const RecoverSpec& spec, std::int64_t steps);
    bool learns(const std::string& name, const at::Tensor& values) const;
    Status adapt(std::uint64_t seed);
    void round(const WeightFormat& format, const LayerInfo& layer);
    void mask(const std::string& name, const at::Tensor& values);
    void hook(const LayerInfo& layer);
    /// A layer's weight as it acts before it is rounded.
    at::Tensor acting(const std::string& layer, const at::Tensor& values) const;
    /// The same without gradients, as training leaves it.
    at::Tensor finished(const std::string& layer, const at::Tensor& values) const;

    ModelLayout m_layout;
    RecoverSpec m_spec;
    std::unique_ptr<models::GradientGraph> m_graph;
    Adapters m_adapters;
    Sparsifier m_sparsifier;
    std::map<std::string, at::Tensor> m_masks;
    std::map<std::string, std::unique_ptr<Rounded>> m_rounded;  ///< by layer
    std::set<std::string> m_added;
};

}  // namespace pareto::train
