#pragma once

#include <cstdio>
#include <vector>

#include "engine/models/model.h"

namespace pareto::models {

/// Hidden states held in memory; more lie in a file.
inline constexpr std::uint64_t kStateBytes = std::uint64_t{2} << 30;

/// Matrices by number, in memory or in a nameless file of the folder for temporary ones. One user at a time.
/// EngineFailure where that cannot be written or read.
class StateStore {
public:
    explicit StateStore(bool onDisk);
    ~StateStore();
    StateStore(const StateStore&) = delete;
    StateStore& operator=(const StateStore&) = delete;

    /// Numbers come in order the first time; sizes do not change from one put to the next.
    Status put(std::size_t number, Matrix values);
    /// Gives a matrix away: it has to be put again.
    Result<Matrix> take(std::size_t number);
    /// Copies one, row-major, to `out`.
    Status read(std::size_t number, float* out);
    std::int64_t rows(std::size_t number) const { return m_held[number].rows; }
    /// Of the first, which is there.
    std::int64_t cols() const { return m_held.front().cols; }

private:
    std::FILE* m_file;
    bool m_onDisk;
    std::vector<Matrix> m_held;
    std::vector<long> m_places;
    long m_end = 0;
};

}  // namespace pareto::models
