#pragma once

#include <exception>
#include <string>

#include "engine/core/error.h"

namespace pareto::runtime {

/// An error on its way out of a forward graph, which throws as libtorch does.
class Failure : public std::exception {
public:
    explicit Failure(Error error) : m_error(std::move(error)) {}
    const Error& error() const { return m_error; }
    const char* what() const noexcept override { return m_error.detail.c_str(); }

private:
    Error m_error;
};

/// What libtorch, or anything else, threw in `where`, as an error with a code of its own:
/// - c10::OutOfMemoryError, and CUDA libraries that could not allocate: DeviceMemoryShort with what was asked for and
///   what is free, as far as the message says it. The process and the GPU go on.
/// - c10::AcceleratorError, and messages of the same failures, after which CUDA refuses everything in this process
///   (a lost GPU, ECC, an illegal address, a failed or endless launch): DeviceLost. The CPU goes on; the GPU is refused
///   from then on (lostGpu()).
/// - Failure: what it carries.
/// - no memory on the CPU: MemoryShort. Anything else: EngineFailure.
Error asError(const std::string& where, const std::exception& problem);

/// Of what libtorch says: behind it stand the places in its source.
std::string firstLine(const std::string& text);

/// Why CUDA cannot be used any more in this process; empty: it can.
std::string lostGpu();
/// As if no GPU had been lost; for tests.
void forgetLostGpu();

/// The CUDA device that was opened last, which messages without a number are about: "cuda:0"; -1: none was.
void noteCudaDevice(int index);

}  // namespace pareto::runtime
