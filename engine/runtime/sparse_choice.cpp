#include "engine/runtime/sparse_choice.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>

#include "engine/kernels/pack.h"
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
/// Tenths of a panel's columns: with more of them stored nothing is gained by leaving out the rest.
constexpr int kMostSteps = 7;

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

/// Every so many values give a few thousand samples: a mapped file is not read for them. Odd, so that no pattern of
/// columns fools it.
std::int64_t sampleStep(const Tensor& tensor) { return tensor.shape.elements() / 4096 | 1; }

/// `step`: every so many values are looked at.
double shareOfZeros(const Tensor& tensor, std::int64_t step) {
    const std::int64_t count = tensor.shape.elements();
    return tensor.isDense() ? shareOfZeros(tensor.dense().values.as<float>().data(), count, step)
                            : shareOfZeros(tensor.quantized().codes.as<std::int8_t>().data(), count, step);
}

/// `share` in so many parts of a whole.
int partsOf(double share, int parts) { return static_cast<int>(share * parts + 0.5); }

/// Entries of the form that goes by rows, for each row alone and for four at once, and of the one that goes by columns of
/// panels, in tenths of all there could be.
std::array<int, 3> storedEntries(const Tensor& tensor) {
    const auto of = [&](const auto* values, std::int64_t columns) {
        const double all = static_cast<double>(tensor.shape[0] * ((tensor.shape[1] + columns - 1) / columns));
        const auto tenths = [&](std::int64_t maskRows) {
            const auto stored = kernels::sparseEntries(values, tensor.shape[0], tensor.shape[1], maskRows);
            return partsOf(static_cast<double>(stored) / all, 10);
        };
        const double steps = kernels::sparseStepShare(values, tensor.shape[0], tensor.shape[1]);
        return std::array{tenths(1), tenths(kernels::kMaskRows), partsOf(steps, 10)};
    };
    return tensor.isDense() ? of(tensor.dense().values.as<float>().data(), 1)
                            : of(tensor.quantized().codes.as<std::int8_t>().data(), 4);
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
    const int rounds = cold != nullptr ? 3 : 5;
    const at::Tensor x = someInput(device, tokens, a.cols());
    std::pair<double, double> out{1e30, 1e30};
    for (int round = 0; round <= rounds; ++round) {
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

enum class Form : std::uint8_t { Rows, Panels, Steps };
constexpr Form kForms[] = {Form::Rows, Form::Panels, Form::Steps};

std::shared_ptr<const Weight> make(Form form, const Tensor& tensor, const Device& device) {
    switch (form) {
        case Form::Rows: return makeSparseRows(tensor, device);
        case Form::Panels: return makeSparsePanels(tensor, device);
        case Form::Steps: return makeSparseSteps(tensor, device);
    }
    return nullptr;
}

/// The better sparse form of a weight.
struct Verdict {
    std::optional<Form> form;  ///< none: there is no kernel for any
    Gains gains;
};

/// What was measured, by what it depends on: kernel, shape, shares of zeros and of stored entries, threads, use.
class Measured {
public:
    using Key = std::tuple<std::string, std::int64_t, std::int64_t, int, std::array<int, 3>, int, Batching>;

    std::optional<Verdict> find(const Key& key) {
        const std::lock_guard lock(m_mutex);
        const auto found = m_verdicts.find(key);
        return found == m_verdicts.end() ? std::nullopt : std::optional(found->second);
    }
    void put(const Key& key, const Verdict& verdict) {
        const std::lock_guard lock(m_mutex);
        m_verdicts[key] = verdict;
    }

private:
    std::mutex m_mutex;
    std::map<Key, Verdict> m_verdicts;
};

Measured& measured() {
    static Measured all;
    return all;
}

Gains gainsOf(const Weight& sparse, const Weight& dense, const Device& device, Batching batching) {
    Gains out;
    if (batching == Batching::Both) {
        ColdCaches caches;
        const auto one = leastSeconds(dense, sparse, device, 1, &caches);
        out.one = one.first / one.second;
    }
    const auto many = leastSeconds(dense, sparse, device, kManyTokens, nullptr);
    out.many = many.first / many.second;
    return out;
}

Verdict judge(const Tensor& tensor, const Device& device, const Weight& dense, double zeros, Batching batching) {
    const auto stored = storedEntries(tensor);
    const Measured::Key key{dense.kernelName(), dense.rows(), dense.cols(), partsOf(zeros, 20), stored,
                            device.threads,     batching};
    if (const auto known = measured().find(key)) {
        return *known;
    }
    Verdict out;
    for (const Form form : kForms) {
        const auto weight = form == Form::Steps && stored[2] > kMostSteps ? nullptr : make(form, tensor, device);
        if (weight == nullptr) {
            continue;
        }
        const Gains gains = gainsOf(*weight, dense, device, batching);
        const bool better = gains.worth(batching) != out.gains.worth(batching)
                                ? gains.worth(batching)
                                : gains.score(batching) > out.gains.score(batching);
        if (!out.form || better) {
            out = {form, gains};
        }
    }
    measured().put(key, out);
    return out;
}

/// The sparse form that reads the least, or `dense`.
std::shared_ptr<const Weight> smallest(const Tensor& tensor, const Device& device, std::shared_ptr<const Weight> dense) {
    for (const Form form : kForms) {
        auto weight = make(form, tensor, device);
        if (weight != nullptr && weight->bytes() < dense->bytes()) {
            dense = std::move(weight);
        }
    }
    return dense;
}

}  // namespace

std::shared_ptr<const Weight> fasterWithoutZeros(const Tensor& tensor, const Device& device,
                                                 std::shared_ptr<const Weight> dense, Batching batching) {
    const char* wish = std::getenv("PARETO_SPARSE");
    const std::string how = wish == nullptr ? "" : wish;
    if (how == "never" || device.table->sparseGemm == nullptr ||
        tensor.shape.elements() < kLeastValues || shareOfZeros(tensor, sampleStep(tensor)) < kLeastZeros / 2) {
        return dense;
    }
    const double zeros = shareOfZeros(tensor, 1);
    if (zeros < kLeastZeros) {
        return dense;
    }
    if (how == "always") {
        return smallest(tensor, device, std::move(dense));
    }
    const Verdict verdict = judge(tensor, device, *dense, zeros, batching);
    if (!verdict.form) {
        return dense;
    }
    const std::string share = "; " + std::to_string(static_cast<int>(zeros * 100.0 + 0.5)) + " % zeros: ";
    if (!verdict.gains.worth(batching)) {
        return remarked(
            std::move(dense), share + "no gain, kept dense (" + ratios(verdict.gains, batching) + ")");
    }
    return remarked(make(*verdict.form, tensor, device),
                                            share + ratios(verdict.gains, batching) + " of dense");
}

}  // namespace pareto::runtime
