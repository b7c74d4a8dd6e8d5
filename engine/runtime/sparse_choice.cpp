#include "engine/runtime/sparse_choice.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <tuple>

#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"

namespace pareto::runtime {
namespace {

/// A weight with a smaller share of zeros, or fewer values, is not worth a look.
constexpr double kLeastZeros = 0.3;
constexpr std::int64_t kLeastValues = 256 * 256;
constexpr std::int64_t kManyTokens = 64;
constexpr double kGain = 1.10;
constexpr double kLoss = 0.85;

/// Dense time / sparse time.
struct Gains {
    double one = 0.0;   ///< with one token
    double many = 0.0;  ///< with kManyTokens

    bool worth(Batching batching) const {
        if (batching == Batching::Many) {
            return many >= kGain;
        }
        return std::max(one, many) >= kGain && std::min(one, many) >= kLoss;
    }
    double score(Batching batching) const { return batching == Batching::Many ? many : one * many; }
};

std::string ratio(double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.2f×", value);
    return text;
}

std::string ratios(const Gains& gains, Batching batching) {
    const std::string many = ratio(gains.many) + " with " + std::to_string(kManyTokens) + " tokens";
    return batching == Batching::Many ? many : ratio(gains.one) + " with 1 token, " + many;
}

/// Another weight with something said about it.
class RemarkedWeight final : public Weight {
public:
    RemarkedWeight(std::shared_ptr<const Weight> held, std::string remark)
        : Weight(held->rows(), held->cols()), m_held(std::move(held)), m_remark(std::move(remark)) {}
    at::Tensor multiply(LinearInput& x, const Epilogue& epilogue) const override {
        return m_held->multiply(x, epilogue);
    }
    std::optional<PanelWork> panelWork(LinearInput& x, const Epilogue& epilogue, at::Tensor& out) const override {
        return m_held->panelWork(x, epilogue, out);
    }
    at::Tensor lookup(std::span<const std::int32_t> ids) const override { return m_held->lookup(ids); }
    std::uint64_t bytes() const override { return m_held->bytes(); }
    std::string kernelName() const override { return m_held->kernelName() + m_remark; }

private:
    std::shared_ptr<const Weight> m_held;
    std::string m_remark;
};

template <typename T>
double shareOfZeros(const T* values, std::int64_t count, std::int64_t step) {
    std::int64_t zeros = 0;
    std::int64_t seen = 0;
    for (std::int64_t i = 0; i < count; i += step) {
        zeros += values[i] == T{} ? 1 : 0;
        ++seen;
    }
    return seen == 0 ? 0.0 : static_cast<double>(zeros) / static_cast<double>(seen);
}

/// `step`: every so many values are looked at; odd, so that no pattern of columns fools it.
double shareOfZeros(const Tensor& tensor, std::int64_t step) {
    const std::int64_t count = tensor.shape[0] * tensor.shape[1];
    return tensor.isDense() ? shareOfZeros(tensor.dense().values.as<float>().data(), count, step)
                            : shareOfZeros(tensor.quantized().codes.as<std::int8_t>().data(), count, step);
}

/// Share of the blocks of four columns that are all zeros.
double shareOfEmptyBlocks(const Tensor& tensor) {
    const std::int64_t cols = tensor.shape[1];
    const auto count = [&](const auto* values) {
        std::int64_t empty = 0;
        for (std::int64_t row = 0; row < tensor.shape[0]; ++row) {
            for (std::int64_t c = 0; c + 4 <= cols; c += 4) {
                const auto* block = values + row * cols + c;
                empty += block[0] == 0 && block[1] == 0 && block[2] == 0 && block[3] == 0 ? 1 : 0;
            }
        }
        return static_cast<double>(empty) / static_cast<double>(std::max<std::int64_t>(1, tensor.shape[0] * (cols / 4)));
    };
    return tensor.isDense() ? count(tensor.dense().values.as<float>().data())
                            : count(tensor.quantized().codes.as<std::int8_t>().data());
}

double secondsOf(const Weight& weight, const Device& device, const at::Tensor& x) {
    const auto start = std::chrono::steady_clock::now();
    LinearInput input(device, x);
    weight.multiply(input, {});
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Reads more than caches hold, so that what is timed next comes from memory, as every weight of a model does
/// when it makes one token after the other.
class ColdCaches {
public:
    ColdCaches() : m_lines(std::size_t{1} << 20) {}
    void chill() {
        std::atomic<float> sum{0.0F};
        parallel(static_cast<std::int64_t>(m_lines.size()), 4096, [&](std::int64_t begin, std::int64_t end) {
            float part = 0.0F;
            for (std::int64_t i = begin; i < end; ++i) {
                part += m_lines[static_cast<std::size_t>(i)].values[0];
            }
            sum.store(part, std::memory_order_relaxed);
        });
    }

private:
    struct alignas(64) Line {
        float values[16] = {};
    };
    std::vector<Line> m_lines;
};

at::Tensor someInput(const Device& device, std::int64_t tokens, std::int64_t cols) {
    at::Tensor x = emptyFloats(device, {tokens, cols});
    float* values = x.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < x.numel(); ++i) {
        values[i] = static_cast<float>(i * 37 % 255 - 127) / 127.0F;
    }
    return x;
}

/// The two in turns: the least time of a, and of b. With `cold` both weights come from memory.
std::pair<double, double> leastSeconds(const Weight& a, const Weight& b, const Device& device, std::int64_t tokens,
                                       ColdCaches* cold) {
    constexpr int kRounds = 6;
    const at::Tensor x = someInput(device, tokens, a.cols());
    std::pair<double, double> out{1e30, 1e30};
    for (int round = 0; round <= kRounds; ++round) {
        if (cold != nullptr) {
            cold->chill();
        }
        const double first = secondsOf(a, device, x);
        const double second = secondsOf(b, device, x);
        if (round > 0) {  // the first round warms up
            out = {std::min(out.first, first), std::min(out.second, second)};
        }
    }
    return out;
}

/// What was measured, by what it depends on: form, shape, share of zeros, threads, use.
class Measured {
public:
    using Key = std::tuple<std::string, std::int64_t, std::int64_t, int, int, int, Batching>;

    bool find(const Key& key, Gains& out) {
        const std::lock_guard lock(m_mutex);
        const auto found = m_gains.find(key);
        if (found == m_gains.end()) {
            return false;
        }
        out = found->second;
        return true;
    }
    void put(const Key& key, const Gains& gains) {
        const std::lock_guard lock(m_mutex);
        m_gains[key] = gains;
    }

private:
    std::mutex m_mutex;
    std::map<Key, Gains> m_gains;
};

Measured& measured() {
    static Measured all;
    return all;
}

struct Candidate {
    std::shared_ptr<const Weight> weight;
    Gains gains;
};

int twentieths(double share) { return static_cast<int>(share * 20.0 + 0.5); }

std::vector<Candidate> measure(const Tensor& tensor, const Device& device, const Weight& dense, double zeros,
                               Batching batching) {
    std::vector<Candidate> out;
    for (auto weight : {makeSparseRows(tensor, device), makeSparsePanels(tensor, device)}) {
        if (weight != nullptr) {
            out.push_back({std::move(weight), {}});
        }
    }
    const int empty = twentieths(shareOfEmptyBlocks(tensor));
    for (auto& candidate : out) {
        const Measured::Key key{dense.kernelName() + candidate.weight->kernelName(), dense.rows(), dense.cols(),
                                twentieths(zeros), empty, device.threads, batching};
        if (!measured().find(key, candidate.gains)) {
            if (batching == Batching::Both) {
                ColdCaches caches;
                const auto one = leastSeconds(dense, *candidate.weight, device, 1, &caches);
                candidate.gains.one = one.first / one.second;
            }
            const auto many = leastSeconds(dense, *candidate.weight, device, kManyTokens, nullptr);
            candidate.gains.many = many.first / many.second;
            measured().put(key, candidate.gains);
        }
    }
    return out;
}

}  // namespace

std::shared_ptr<const Weight> fasterWithoutZeros(const Tensor& tensor, const Device& device,
                                                 std::shared_ptr<const Weight> dense, Batching batching) {
    constexpr std::int64_t kSampleStep = 1021;
    const char* wish = std::getenv("PARETO_SPARSE");
    const std::string how = wish == nullptr ? "" : wish;
    if (how == "never" || device.table->sparseGemm == nullptr ||
        tensor.shape[0] * tensor.shape[1] < kLeastValues || shareOfZeros(tensor, kSampleStep) < kLeastZeros / 2) {
        return dense;
    }
    const double zeros = shareOfZeros(tensor, 1);
    if (zeros < kLeastZeros) {
        return dense;
    }
    const std::string share = std::to_string(static_cast<int>(zeros * 100.0 + 0.5)) + " % zeros: ";
    if (how == "always") {
        auto rows = makeSparseRows(tensor, device);
        auto panels = makeSparsePanels(tensor, device);
        const bool first = panels == nullptr || (rows != nullptr && rows->bytes() < panels->bytes());
        auto chosen = first ? std::move(rows) : std::move(panels);
        return chosen != nullptr ? chosen : dense;
    }
    auto candidates = measure(tensor, device, *dense, zeros, batching);
    const auto best = std::max_element(candidates.begin(), candidates.end(), [&](const auto& a, const auto& b) {
        const bool aWorth = a.gains.worth(batching);
        const bool bWorth = b.gains.worth(batching);
        return aWorth != bWorth ? bWorth : a.gains.score(batching) < b.gains.score(batching);
    });
    if (best == candidates.end()) {
        return dense;
    }
    if (!best->gains.worth(batching)) {
        return std::make_shared<RemarkedWeight>(
            std::move(dense), "; " + share + "no gain, kept dense (" + ratios(best->gains, batching) + ")");
    }
    return std::make_shared<RemarkedWeight>(std::move(best->weight),
                                            "; " + share + ratios(best->gains, batching) + " of dense");
}

}  // namespace pareto::runtime
