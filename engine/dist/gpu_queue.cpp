#include "engine/dist/gpu_queue.h"

#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "engine/runtime/torch_tensor.h"

namespace pareto::dist {
namespace {

constexpr const char* kWhere = "exchanging values between GPUs";

/// Through libtorch's general interfaces, so that no CUDA header is needed.
class TorchQueue final : public GpuQueue {
public:
    explicit TorchQueue(int index) : m_device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index)), m_calls(m_device.type()) {}

    Result<int> call(const std::function<int(void* stream)>& call) override {
        return runtime::caught(kWhere, [&]() -> Result<int> {
            const c10::DeviceGuard guard(m_device);
            return call(m_calls.getStreamNativeHandle(m_calls.getStream(m_device)));
        });
    }
    Result<bool> idle() override {
        return runtime::caught(kWhere, [&]() -> Result<bool> { return m_calls.queryStream(m_calls.getStream(m_device)); });
    }

private:
    c10::Device m_device;
    c10::impl::VirtualGuardImpl m_calls;
};

}  // namespace

std::unique_ptr<GpuQueue> torchQueue(int index) { return std::make_unique<TorchQueue>(index); }

}  // namespace pareto::dist
