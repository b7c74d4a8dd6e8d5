// libpareto_cuda.so: the table of our CUDA kernels with what it needs of libtorch's CUDA half.
#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <string>

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime.h>

#include "engine/kernels/cuda/launchers.h"

namespace pareto::kernels::cuda {
namespace {

void say(Reason* reason, const std::string& text) {
    if (reason != nullptr) {
        const std::string line = text.substr(0, std::min(text.find('\n'), kReasonBytes - 1));
        std::memcpy(reason->text, line.c_str(), line.size() + 1);
    }
}

/// `work`, with what it throws as the reason: nothing may leave through a table.
template <typename Work>
bool tried(Reason* reason, const Work& work) {
    try {
        work();
        return true;
    } catch (const std::exception& problem) {
        say(reason, problem.what());
    } catch (...) {
        say(reason, "an unknown exception");
    }
    return false;
}

void* currentStream(int device) {
    return c10::cuda::getCurrentCUDAStream(static_cast<c10::DeviceIndex>(device)).stream();
}

bool runsOn(int device, Reason* reason) {
    int error = 0;
    return tried(reason,
                 [&] {
                     const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(device));
                     error = kernelsRunHere();
                     if (error != 0) {
                         say(reason, errorText(error));
                     }
                 }) &&
           error == 0;
}

struct Recorded {
    explicit Recorded(int index)
        : device(static_cast<c10::DeviceIndex>(index)),
          former(c10::cuda::getCurrentCUDAStream(device)),
          own(c10::cuda::getStreamFromPool(false, device)) {}

    c10::DeviceIndex device;
    c10::cuda::CUDAStream former;
    c10::cuda::CUDAStream own;  ///< work of the default stream cannot be recorded
    bool recording = false;
    at::cuda::CUDAGraph graph;
};

/// The former stream again, whatever became of the recording.
bool finish(Recorded& recorded, Reason* reason) {
    if (!recorded.recording) {
        return true;
    }
    recorded.recording = false;
    const c10::cuda::CUDAGuard guard(recorded.device);
    const bool ended = tried(reason, [&] { recorded.graph.capture_end(); });
    c10::cuda::setCurrentCUDAStream(recorded.former);
    if (!ended) {
        tried(nullptr, [&] { recorded.graph.reset(); });
        cudaGetLastError();  // a recording that broke leaves its error for whoever asks next
    }
    return ended;
}

void* begin(int device, Reason* reason) {
    std::unique_ptr<Recorded> recorded;
    const bool begun = tried(reason, [&] {
        const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(device));
        recorded = std::make_unique<Recorded>(device);
        c10::cuda::device_synchronize();
        c10::cuda::setCurrentCUDAStream(recorded->own);
        recorded->recording = true;
        // Other threads may go on calling what a recording thread may not.
        recorded->graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    });
    if (!begun) {
        if (recorded != nullptr) {
            finish(*recorded, nullptr);
        }
        return nullptr;
    }
    return recorded.release();
}

bool end(void* graph, Reason* reason) { return finish(*static_cast<Recorded*>(graph), reason); }

bool replay(void* graph, Reason* reason) {
    return tried(reason, [&] { static_cast<Recorded*>(graph)->graph.replay(); });
}

void drop(void* graph) {
    tried(nullptr, [&] {
        const std::unique_ptr<Recorded> recorded(static_cast<Recorded*>(graph));
        finish(*recorded, nullptr);
    });
}

const Table& table() {
    static const Table out{kAbi,
                           "libpareto_cuda",
                           launchLayerNorm,
                           launchRmsNorm,
                           launchGateProduct,
                           launchRope,
                           launchLookup,
                           launchRoundRows,
                           launchFinishProduct,
                           launchRowsProduct,
                           launchIntegerProduct,
                           launchCacheAppend,
                           launchTokenAttention,
                           errorText,
                           currentStream,
                           runsOn,
                           {begin, end, replay, drop}};
    return out;
}

}  // namespace
}  // namespace pareto::kernels::cuda

extern "C" __attribute__((visibility("default"))) const pareto::kernels::cuda::Table*
pareto_cuda_table(int abi) {
    using namespace pareto::kernels::cuda;
    return abi == kAbi ? &table() : nullptr;
}
