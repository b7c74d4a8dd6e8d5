#pragma once

#include "engine/dist/gpu_queue.h"
#include "tests/support/fake_nccl/fake_stream.h"

namespace pareto::test {

/// The queue of a GPU that the played NCCL works for.
class PlayedQueue final : public dist::GpuQueue {
public:
    Result<int> call(const std::function<int(void* stream)>& call) override { return call(&m_stream); }
    Result<bool> idle() override { return m_stream.queued == 0; }

private:
    FakeStream m_stream;
};

}  // namespace pareto::test
