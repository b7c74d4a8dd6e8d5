#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/weights/tensor.h"

namespace at {
class Tensor;
}

/// Fake quantization, as the field calls it (Jacob et al. 2018, arXiv 1712.05877): training computes in fp32 with the
/// values that rounding will leave, so that it learns to live with them.
namespace pareto::train {

/// A weight as training sees it that will be rounded: scale · (round(clip(w / scale + zero)) − zero) with learned scales
/// (LSQ, Esser et al. 2020, arXiv 1902.08153). The gradient passes rounding unchanged and clipping where nothing was
/// clipped. A scale is its first value, that of rounding to nearest, times a learned ratio, so that one learning rate
/// suits scales of any size. Zero points stay as they were found.
class FakeWeight {
public:
    /// `format` is one of integers. `values`: [rows][cols] fp32.
    FakeWeight(const WeightFormat& format, const at::Tensor& values);
    ~FakeWeight();
    FakeWeight(const FakeWeight&) = delete;
    FakeWeight& operator=(const FakeWeight&) = delete;

    const WeightFormat& format() const;
    /// What the values act as; `rows`: they are those rows of the weight, by number. Zeros stay zeros where the format
    /// is symmetric.
    at::Tensor act(const at::Tensor& values, const at::Tensor* rows) const;
    /// The learned ratios, [rows][groups] or [1][1]: a leaf for the optimizer.
    const at::Tensor& ratios() const;
    /// The weight in its format: exactly what act() gave, as codes and scales.
    Tensor finished(const at::Tensor& values, float inputScale) const;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

/// Inputs as the integer kernels will round them; the gradient passes unchanged where nothing is clipped. Dynamic
/// formats have a scale a token (or group); of static ones the scale is learned, from the first batch on.
class FakeInput {
public:
    explicit FakeInput(const WeightFormat& format);
    ~FakeInput();
    FakeInput(const FakeInput&) = delete;
    FakeInput& operator=(const FakeInput&) = delete;

    at::Tensor act(const at::Tensor& input);
    /// Int8Static: the learned scale as a leaf [1], undefined before the first batch and for other formats.
    const at::Tensor& scale() const;
    void setScale(const at::Tensor& scale);
    /// Where several processes see parts of a batch. `highest`: of the largest input that this one saw, the largest that
    /// any did, from which the first scale comes.
    void setHighest(std::function<double(double)> highest);
    /// The part that this one sees of the batch to come: gradients of scales count the whole batch's values.
    void setShare(double share);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace pareto::train
