#include "engine/runtime/failures.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <mutex>
#include <new>

#include <c10/util/Exception.h>

namespace pareto::runtime {

namespace {

std::atomic<int> lastDevice{-1};
std::mutex lostMutex;
std::string lostReason;

/// Errors that stay: every later call in the process gets them again (CUDA Runtime API, cudaError).
constexpr std::array kStickyErrors{214, 220, 226, 700, 702, 709, 710, 714,
                                   715, 716, 717, 718, 719, 721, 999};
/// The same as CUDA words them, for exceptions that carry no number.
constexpr std::array kStickyTexts{"uncorrectable ECC error",
                                  "uncorrectable NVLink error",
                                  "an illegal memory access",
                                  "the launch timed out",
                                  "device-side assert",
                                  "hardware stack error",
                                  "an illegal instruction",
                                  "misaligned address",
                                  "operation not supported on global/shared",
                                  "invalid program counter",
                                  "unspecified launch failure",
                                  "GPU is lost",
                                  "context is destroyed"};
constexpr int kMemoryAllocation = 2;
constexpr std::array kMemoryTexts{"CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED",
                                  "CUDNN_STATUS_ALLOC_FAILED",
                                  "CUSPARSE_STATUS_INSUFFICIENT_RESOURCES"};

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

template <typename Texts>
bool hasAny(const std::string& text, const Texts& parts) {
    return std::any_of(parts.begin(), parts.end(),
                       [&](const char* part) { return has(text, part); });
}

std::string deviceName() {
    const int index = lastDevice.load();
    return index < 0 ? "cuda" : "cuda:" + std::to_string(index);
}

/// The word and the unit behind `key`: "20.00 GiB"; `otherwise` where the text has none.
std::string amountBehind(const std::string& text, const std::string& key,
                         const std::string& otherwise) {
    const auto at = text.find(key);
    if (at == std::string::npos) {
        return otherwise;
    }
    const auto begin = at + key.size();
    const auto unit = text.find(' ', begin);
    const auto end =
        unit == std::string::npos ? unit : text.find_first_not_of("KMGTiBbytes", unit + 1);
    return begin < text.size() && std::isdigit(static_cast<unsigned char>(text[begin])) != 0
               ? text.substr(begin, end == std::string::npos ? end : end - begin)
               : otherwise;
}

/// "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.00 GiB is free. …"
Error memoryShort(const std::string& where, const std::string& text) {
    std::string device = deviceName();
    if (const auto at = text.find(". GPU ");
        at != std::string::npos && at + 6 < text.size() &&
        std::isdigit(static_cast<unsigned char>(text[at + 6])) != 0) {
        device = "cuda:" + std::to_string(std::stoi(text.substr(at + 6, 4)));
    }
    return makeError(ErrorCode::DeviceMemoryShort,
                     {{"device", device},
                      {"what", where},
                      {"needed", amountBehind(text, "Tried to allocate ", "more")},
                      {"free", amountBehind(text, " of which ", "too few")}},
                     text);
}

Error lost(const std::string& where, const std::string& text) {
    const std::lock_guard lock(lostMutex);
    if (lostReason.empty()) {
        lostReason = firstLine(text);
    }
    return makeError(ErrorCode::DeviceLost,
                     {{"device", deviceName()}, {"where", where}, {"reason", firstLine(text)}},
                     text);
}

}  // namespace

std::string firstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

Error asError(const std::string& where, const std::exception& problem) {
    if (const auto* failure = dynamic_cast<const Failure*>(&problem)) {
        return failure->error();
    }
    const std::string text = problem.what();
    const auto* accelerator = dynamic_cast<const c10::AcceleratorError*>(&problem);
    const int code = accelerator != nullptr ? accelerator->get_error_code() : 0;
    if (dynamic_cast<const c10::OutOfMemoryError*>(&problem) != nullptr ||
        code == kMemoryAllocation || hasAny(text, kMemoryTexts)) {
        return memoryShort(where, text);
    }
    const bool sticky =
        std::find(kStickyErrors.begin(), kStickyErrors.end(), code) != kStickyErrors.end();
    if (sticky || (has(text, "CUDA error") && hasAny(text, kStickyTexts))) {
        return lost(where, text);
    }
    if (dynamic_cast<const std::bad_alloc*>(&problem) != nullptr ||
        has(text, "can't allocate memory")) {
        return makeError(ErrorCode::MemoryShort,
                         {{"what", where}, {"needed", "more"}, {"free", "too few"}}, text);
    }
    return makeError(ErrorCode::EngineFailure, {{"where", where}, {"reason", firstLine(text)}},
                     text);
}

std::string lostGpu() {
    const std::lock_guard lock(lostMutex);
    return lostReason;
}

void forgetLostGpu() {
    const std::lock_guard lock(lostMutex);
    lostReason.clear();
}

void noteCudaDevice(int index) { lastDevice = index; }

}  // namespace pareto::runtime
