#include "engine/runtime/sparse_choice.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>

#include "engine/kernels/pack.h"
#include "engine/runtime/measured_choices.h"
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

/// With `cold` both weights come from memory.
LeastSeconds inTurns(const Weight& a, const Weight& b, const Device& device, std::int64_t tokens, ColdCaches* cold) {
    const at::Tensor x = someInput(device, tokens, a.cols());
    return leastSeconds(
        {}, [&] { return secondsOf(a, device, x); }, [&] { return secondsOf(b, device, x); },
        [&] {
            if (cold != nullptr) {
                cold->chill();
            }
        });
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

/// What a verdict depends on: kernel, shape, shares of zeros and of stored entries, threads, use.
std::string keyOf(const Weight& dense, const Device& device, int zeros, const std::array<int, 3>& stored, Batching batching) {
    std::string key = "without zeros: " + dense.kernelName() + ", " + std::to_string(dense.rows()) + " × " +
                      std::to_string(dense.cols()) + ", " + std::to_string(zeros) + "/20 zeros, stored";
    for (const int tenths : stored) {
        key += " " + std::to_string(tenths);
    }
    return key + "/10, " + std::to_string(device.threads) + " threads" + (batching == Batching::Many ? ", many tokens" : "");
}

std::optional<Verdict> known(const std::string& key) {
    const auto figures = MeasuredChoices::ofMachine().find(key);
    if (!figures || figures->size() != 3) {
        return std::nullopt;
    }
    Verdict out{std::nullopt, {(*figures)[1], (*figures)[2]}};
    for (const Form form : kForms) {
        if ((*figures)[0] == static_cast<double>(form)) {
            out.form = form;
        }
    }
    return out;
}

void remember(const std::string& key, const Verdict& verdict, bool steady) {
    const double form = verdict.form ? static_cast<double>(*verdict.form) : -1.0;
    MeasuredChoices::ofMachine().put(key, {form, verdict.gains.one, verdict.gains.many}, steady);
}

/// `steady` becomes false where what was measured is not.
Gains gainsOf(const Weight& sparse, const Weight& dense, const Device& device, Batching batching, bool& steady) {
    Gains out;
    if (batching == Batching::Both) {
        ColdCaches caches;
        const auto one = inTurns(dense, sparse, device, 1, &caches);
        out.one = one.gain;
        steady = steady && one.steady;
    }
    const auto many = inTurns(dense, sparse, device, kManyTokens, nullptr);
    out.many = many.gain;
    steady = steady && many.steady;
    return out;
}

Verdict judge(const Tensor& tensor, const Device& device, const Weight& dense, double zeros, Batching batching) {
    const auto stored = storedEntries(tensor);
    const auto key = keyOf(dense, device, partsOf(zeros, 20), stored, batching);
    if (const auto verdict = known(key)) {
        return *verdict;
    }
    Verdict out;
    bool steady = true;
    for (const Form form : kForms) {
        const auto weight = form == Form::Steps && stored[2] > kMostSteps ? nullptr : make(form, tensor, device);
        if (weight == nullptr) {
            continue;
        }
        const Gains gains = gainsOf(*weight, dense, device, batching, steady);
        const bool better = gains.worth(batching) != out.gains.worth(batching)
                                ? gains.worth(batching)
                                : gains.score(batching) > out.gains.score(batching);
        if (!out.form || better) {
            out = {form, gains};
        }
    }
    remember(key, out, steady);
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
