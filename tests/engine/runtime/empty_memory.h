#pragma once

#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

namespace pareto::test {

/// Answers as libtorch's CUDA allocator does when there is nothing left on the second GPU.
class EmptyAllocator : public c10::Allocator {
public:
    c10::DataPtr allocate(std::size_t) override {
        throw c10::OutOfMemoryError({"allocate", __FILE__, static_cast<std::uint32_t>(__LINE__)},
                                    "CUDA out of memory. Tried to allocate 20.50 GiB. GPU 1 has a "
                                    "total capacity of 79.11 GiB of which 1.25 GiB "
                                    "is free. Including non-PyTorch memory, this process has 77.00 "
                                    "GiB memory in use.\nmore");
    }
    void copy_data(void*, const void*, std::size_t) const override {}
};

/// Takes the place of the CPU's allocator while it lives.
class EmptyMemory {
public:
    EmptyMemory() { c10::SetCPUAllocator(&m_empty, 255); }
    ~EmptyMemory() { c10::SetCPUAllocator(m_before, 255); }
    EmptyMemory(const EmptyMemory&) = delete;
    EmptyMemory& operator=(const EmptyMemory&) = delete;

private:
    EmptyAllocator m_empty;
    c10::Allocator* m_before = c10::GetCPUAllocator();
};

}  // namespace pareto::test
