#include "engine/models/fixed_step.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>

#include "engine/runtime/step_graph.h"
#include "engine/runtime/torch_cuda_kernels.h"

namespace pareto::models {

struct FixedStep::Memory {
    explicit Memory(const runtime::Device& device) : graph(device) {}

    at::Tensor embedded;
    std::shared_ptr<runtime::DeviceRows> rows = std::make_shared<runtime::DeviceRows>();
    at::Tensor out;            ///< where the recorded work leaves its result
    runtime::StepGraph graph;  ///< last: it goes before the memory that it works on
};

FixedStep::FixedStep(const runtime::Device& device, std::int64_t batch, std::int64_t reach)
    : m_memory(std::make_unique<Memory>(device)) {
    const auto options = at::TensorOptions().dtype(at::kInt).device(runtime::torchDevice(device));
    auto& rows = *m_memory->rows;
    rows.positions = at::empty({batch}, options);
    rows.sequences = at::arange(batch, options);
    rows.fixed = true;
    rows.reach = reach;
}

FixedStep::~FixedStep() = default;

void FixedStep::fill(const at::Tensor& embedded, const std::vector<std::int64_t>& past) {
    if (!m_memory->embedded.defined()) {
        m_memory->embedded = at::empty_like(embedded);
    }
    m_memory->embedded.copy_(embedded);
    std::vector<std::int32_t> positions(past.begin(), past.end());
    m_memory->rows->positions.copy_(at::from_blob(positions.data(),
                                                  {static_cast<std::int64_t>(positions.size())},
                                                  at::TensorOptions().dtype(at::kInt)));
}

const at::Tensor& FixedStep::embedded() const { return m_memory->embedded; }

std::shared_ptr<const runtime::DeviceRows> FixedStep::rows() const { return m_memory->rows; }

bool FixedStep::recorded() const { return m_memory->graph.recorded(); }

at::Tensor FixedStep::run(const std::function<at::Tensor()>& work, bool mayRecord) {
    auto& graph = m_memory->graph;
    if (!graph.recorded() && m_warm && mayRecord && m_problem.empty()) {
        m_problem = graph.record([&] { m_memory->out = work(); });
    }
    if (graph.recorded()) {
        graph.replay();
        return m_memory->out;
    }
    m_warm = true;
    return work();
}

void DecoderCache::reorder(std::span<const std::int64_t> parents) {
    if (static_cast<std::int64_t>(parents.size()) != batch()) {
        fixed.reset();  // keys and values move to other memory
    }
    SequenceCache::reorder(parents);
}

}  // namespace pareto::models
