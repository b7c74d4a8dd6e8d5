#include "engine/models/state_store.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pareto::models {
namespace {

Error failed(const char* what) {
    return makeError(ErrorCode::EngineFailure,
                     {{"where", "calibration"},
                      {"reason", std::string("hidden states cannot be ") + what +
                                     " in the folder for temporary files: " + std::strerror(errno)}});
}

}  // namespace

StateStore::StateStore(bool onDisk) : m_file(onDisk ? std::tmpfile() : nullptr), m_onDisk(onDisk) {}

StateStore::~StateStore() {
    if (m_file != nullptr) {
        std::fclose(m_file);
    }
}

Status StateStore::put(std::size_t number, Matrix values) {
    if (number >= m_held.size()) {
        m_held.resize(number + 1);
        m_places.push_back(m_end);
        m_end += static_cast<long>(values.values.size() * sizeof(float));
    }
    if (!m_onDisk) {
        m_held[number] = std::move(values);
        return Done{};
    }
    const bool written = m_file != nullptr && std::fseek(m_file, m_places[number], SEEK_SET) == 0 &&
                         std::fwrite(values.values.data(), sizeof(float), values.values.size(), m_file) ==
                             values.values.size();
    m_held[number].rows = values.rows;
    m_held[number].cols = values.cols;
    return written ? Status(Done{}) : failed("written");
}

Result<Matrix> StateStore::take(std::size_t number) {
    Matrix& held = m_held[number];
    if (!m_onDisk) {
        return std::move(held);
    }
    Matrix out{held.rows, held.cols, std::vector<float>(static_cast<std::size_t>(held.rows * held.cols))};
    PARETO_CHECK(read(number, out.values.data()));
    return out;
}

Status StateStore::read(std::size_t number, float* out) {
    const Matrix& held = m_held[number];
    const auto count = static_cast<std::size_t>(held.rows * held.cols);
    if (!m_onDisk) {
        std::copy_n(held.values.data(), count, out);
        return Done{};
    }
    const bool done = std::fseek(m_file, m_places[number], SEEK_SET) == 0 &&
                      std::fread(out, sizeof(float), count, m_file) == count;
    return done ? Status(Done{}) : failed("read");
}

}  // namespace pareto::models
