#include "engine/runtime/torch_recycled.h"

#include <algorithm>
#include <array>
#include <atomic>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include "engine/runtime/parallel.h"

namespace pareto::runtime {
namespace {

/// Larger ones are not kept.
constexpr std::size_t kMostBytes = kMostRecycledBytes / 4;
/// Of each of the threads that take parts of a batch, of which there may be many.
constexpr std::size_t kMostSharedBytes = kMostRecycledBytes / 4;
constexpr std::size_t kMostDims = 3;

/// Tensors of the same sizes.
struct Shelf {
    std::array<std::int64_t, kMostDims> sizes{};
    std::size_t dims = 0;  ///< 0: unused
    std::size_t bytes = 0;  ///< of one
    std::uint64_t used = 0;  ///< when it was asked last
    std::size_t count = 0;
    std::array<at::Tensor, 8> tensors;  ///< as many as a block of a model has at a time

    bool holds(at::IntArrayRef wanted) const {
        return dims == wanted.size() && std::equal(wanted.begin(), wanted.end(), sizes.begin());
    }
};

/// Whoever else held it, or a view of it, has let go, and left it as it was made. That may have been another thread: what it did
/// with the memory lies before.
bool isFree(const at::Tensor& tensor, at::IntArrayRef sizes) {
    if (tensor.use_count() != 1) {
        return false;
    }
    std::atomic_thread_fence(std::memory_order_acquire);  // libtorch reads counts without order
    if (tensor.storage().use_count() != 1) {
        return false;
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    return tensor.sizes() == sizes && tensor.is_contiguous() && tensor.storage_offset() == 0;
}

class Shelves {
public:
    at::Tensor take(at::IntArrayRef sizes) {
        const auto options = at::TensorOptions().dtype(at::kFloat);
        const std::size_t bytes = static_cast<std::size_t>(c10::multiply_integers(sizes)) * sizeof(float);
        if (sizes.empty() || sizes.size() > kMostDims || bytes == 0 || bytes > kMostBytes) {
            return at::empty(sizes, options);
        }
        Shelf& shelf = shelfOf(sizes, bytes);
        shelf.used = ++m_clock;
        for (std::size_t i = 0; i < shelf.count; ++i) {
            if (isFree(shelf.tensors[i], sizes)) {
                return shelf.tensors[i];
            }
        }
        at::Tensor made = at::empty(sizes, options);
        if (shelf.count == shelf.tensors.size()) {
            shelf.tensors[m_clock % shelf.count] = made;  // another one that is held for long
        } else if (makeRoom(shelf)) {
            shelf.tensors[shelf.count++] = made;
            m_bytes += bytes;
        }
        return made;
    }

private:
    /// That of the sizes; for new ones the one that was not asked for longest.
    Shelf& shelfOf(at::IntArrayRef sizes, std::size_t bytes) {
        for (Shelf& shelf : m_shelves) {
            if (shelf.holds(sizes)) {
                return shelf;
            }
        }
        Shelf& shelf = oldest();
        drop(shelf);
        std::copy(sizes.begin(), sizes.end(), shelf.sizes.begin());
        shelf.dims = sizes.size();
        shelf.bytes = bytes;
        return shelf;
    }

    Shelf& oldest() {
        return *std::min_element(m_shelves.begin(), m_shelves.end(),
                                 [](const Shelf& a, const Shelf& b) { return a.used < b.used; });
    }

    void drop(Shelf& shelf) {
        m_bytes -= shelf.count * shelf.bytes;
        shelf = Shelf();
    }

    /// For one more of a shelf; others go, the oldest first.
    bool makeRoom(const Shelf& wanted) {
        const std::size_t most = sharesWork() ? kMostSharedBytes : kMostRecycledBytes;
        while (m_bytes + wanted.bytes > most) {
            Shelf* oldest = nullptr;
            for (Shelf& shelf : m_shelves) {
                if (&shelf != &wanted && shelf.count > 0 && (oldest == nullptr || shelf.used < oldest->used)) {
                    oldest = &shelf;
                }
            }
            if (oldest == nullptr) {
                return false;
            }
            drop(*oldest);
        }
        return true;
    }

    std::array<Shelf, 12> m_shelves;
    std::uint64_t m_clock = 0;
    std::size_t m_bytes = 0;
};

}  // namespace

at::Tensor recycledFloats(at::IntArrayRef sizes) {
    thread_local Shelves shelves;
    return shelves.take(sizes);
}

}  // namespace pareto::runtime
