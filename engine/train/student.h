#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/models/model.h"
#include "engine/models/network.h"
#include "engine/spec/recover.h"
#include "engine/train/optimizer.h"

namespace pareto::train {

/// A model's graph with what training adds to it: masks, fake quantization, parameters for an optimizer.
class Student {
public:
    /// `formats` is empty where nothing is rounded. Throws what libtorch throws.
    Student(const LoadedModel& model, const models::PrepareInputs& inputs, const RecoverSpec& spec,
            const std::vector<WeightFormat>& formats);
    ~Student();
    Student(const Student&) = delete;
    Student& operator=(const Student&) = delete;

    models::GradientGraph& graph() { return *m_graph; }
    const ModelLayout& layout() const { return m_layout; }
    /// All that is learned, by name: canonical tensor names, "quantize.<layer>.ratios", "quantize.<layer>.input".
    /// Inputs' scales are there from the first pass on.
    std::map<std::string, at::Tensor> parameters() const;
    /// What addTo() has not seen yet goes to the optimizer.
    void addTo(AdamW& optimizer, double weightDecay);
    /// Gradients of held zeros become 0.
    void maskGradients() const;
    /// Held zeros become 0 again.
    void maskValues() const;
    void setDropout(double share);
    /// Values from parameters() of an equal student; names that it does not know are scales of inputs.
    void restore(const std::map<std::string, at::Tensor>& values);
    /// The model with the values as they are now.
    LoadedModel snapshot(const LoadedModel& original) const;
    /// Layers whose zeros are held.
    std::int64_t maskedLayers() const;

private:
    struct Rounded;
    void round(const WeightFormat& format, const LayerInfo& layer);
    void mask(const std::string& name, const at::Tensor& values);

    ModelLayout m_layout;
    std::unique_ptr<models::GradientGraph> m_graph;
    std::map<std::string, at::Tensor> m_masks;
    std::map<std::string, std::unique_ptr<Rounded>> m_rounded;  ///< by layer
    std::set<std::string> m_added;
};

}  // namespace pareto::train
