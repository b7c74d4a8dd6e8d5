#include "engine/train/ranks.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>

#include "engine/core/hash.h"
#include "engine/core/json.h"
#include "engine/train/checkpoint.h"

namespace pareto::train {
namespace {

/// Values of gradients that travel together.
constexpr std::int64_t kAlone = std::int64_t{1} << 16;

Error unfit(const Ranks& ranks, int rank, const std::string& reason) {
    return makeError(ErrorCode::RankUnfit,
                     {{"rank", std::to_string(rank)}, {"host", ranks.hostOf(rank)}, {"reason", reason}});
}

double share(std::int64_t part, std::int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

std::span<float> valuesOf(at::Tensor& tensor) {
    return {tensor.mutable_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

/// A gradient that can be summed in place.
at::Tensor plain(const at::Tensor& gradient) { return gradient.to(at::kCPU).to(at::kFloat).contiguous(); }

/// Small gradients one behind the other.
class Bundle {
public:
    explicit Bundle(Ranks& ranks) : m_ranks(ranks) {}

    Status add(const at::Tensor& parameter, std::stop_token stop) {
        const at::Tensor host = plain(parameter.grad());
        const float* from = host.const_data_ptr<float>();
        m_values.insert(m_values.end(), from, from + host.numel());
        m_of.push_back(parameter);
        return static_cast<std::int64_t>(m_values.size()) >= kAlone ? flush(std::move(stop)) : Status(Done{});
    }

    Status flush(std::stop_token stop) {
        if (m_values.empty()) {
            return Done{};
        }
        PARETO_CHECK(m_ranks.allReduceSum(m_values, std::move(stop)));
        std::size_t begin = 0;
        for (auto& parameter : m_of) {
            at::Tensor sum = at::empty(parameter.sizes(), at::TensorOptions().dtype(at::kFloat));
            std::copy_n(m_values.begin() + static_cast<std::ptrdiff_t>(begin), sum.numel(), sum.mutable_data_ptr<float>());
            begin += static_cast<std::size_t>(sum.numel());
            parameter.mutable_grad() = sum.to(parameter.device());
        }
        m_values.clear();
        m_of.clear();
        return Done{};
    }

private:
    Ranks& m_ranks;
    std::vector<float> m_values;
    std::vector<at::Tensor> m_of;
};

Status sumGradients(Ranks& ranks, const std::vector<at::Tensor>& parameters, std::stop_token stop) {
    Bundle bundle(ranks);
    for (const auto& parameter : parameters) {
        if (parameter.numel() < kAlone) {
            PARETO_CHECK(bundle.add(parameter, stop));
            continue;
        }
        at::Tensor sum = plain(parameter.grad());
        PARETO_CHECK(ranks.allReduceSum(valuesOf(sum), stop));
        at::Tensor held = parameter;
        held.mutable_grad() = sum.to(parameter.device());
    }
    return bundle.flush(std::move(stop));
}

}  // namespace

Counts countsOf(const TrainingData& data, const std::vector<std::size_t>& examples) {
    const auto labelsOf = [&](const Example& example) -> std::int64_t {
        switch (data.objective) {
        case Objective::TokenClasses:
            return std::count_if(example.tokenLabels.begin(), example.tokenLabels.end(),
                                 [](std::int32_t label) { return label >= 0; });
        case Objective::Classes:
            return example.label >= 0 ? 1 : 0;
        default:
            return 1;
        }
    };
    Counts out;
    for (const auto index : examples) {
        const auto& example = data.examples[index];
        const auto length = static_cast<std::int64_t>(example.ids.size());
        ++out.texts;
        out.tokens += length + static_cast<std::int64_t>(example.pair.size());
        out.labels += labelsOf(example);
        out.answers += data.objective == Objective::Target
                           ? static_cast<std::int64_t>(example.target.size())
                           : std::max<std::int64_t>(0, length - std::max<std::int64_t>(1, example.answerFrom));
    }
    return out;
}

BatchShare shareOf(const TrainingData& data, const std::vector<std::size_t>& batch, int rank, int size) {
    BatchShare out;
    if (size == 1) {
        out.examples = batch;
        return out;
    }
    for (auto i = static_cast<std::size_t>(rank); i < batch.size(); i += static_cast<std::size_t>(size)) {
        out.examples.push_back(batch[i]);
    }
    out.ranks = 1.0 / size;
    const Counts whole = countsOf(data, batch);
    const Counts own = countsOf(data, out.examples);
    out.texts = share(own.texts, whole.texts);
    out.tokens = share(own.tokens, whole.tokens);
    out.labels = share(own.labels, whole.labels);
    out.answers = share(own.answers, whole.answers);
    if (out.examples.empty()) {
        out.examples.push_back(batch.front());
    }
    return out;
}

Status sumOver(Ranks& ranks, std::span<float> values, const std::vector<at::Tensor>& parameters, std::stop_token stop) {
    const at::NoGradGuard noGradients;
    std::vector<float> first(values.begin(), values.end());
    for (const auto& parameter : parameters) {
        first.push_back(parameter.grad().defined() ? 1.0F : 0.0F);
    }
    PARETO_CHECK(ranks.allReduceSum(first, stop));
    std::copy_n(first.begin(), values.size(), values.begin());
    std::vector<at::Tensor> present;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (first[values.size() + i] > 0.5F) {
            at::Tensor held = parameters[i];
            if (!held.grad().defined()) {
                held.mutable_grad() = at::zeros_like(held);
            }
            present.push_back(held);
        }
    }
    return sumGradients(ranks, present, std::move(stop));
}

Result<double> highestOf(Ranks& ranks, double own, std::stop_token stop) {
    std::vector<float> all(static_cast<std::size_t>(ranks.size()), 0.0F);
    all[static_cast<std::size_t>(ranks.rank())] = static_cast<float>(own);
    PARETO_CHECK(ranks.allReduceSum(all, std::move(stop)));
    return static_cast<double>(*std::max_element(all.begin(), all.end()));
}

Status checkSame(Ranks& ranks, const std::string& text, const std::string& what, std::stop_token stop) {
    const std::string own = sha256Hex(text);
    std::string first = own;
    PARETO_CHECK(ranks.broadcast(std::as_writable_bytes(std::span<char>(first)), stop));
    std::vector<float> differs(static_cast<std::size_t>(ranks.size()), 0.0F);
    differs[static_cast<std::size_t>(ranks.rank())] = first == own ? 0.0F : 1.0F;
    PARETO_CHECK(ranks.allReduceSum(differs, std::move(stop)));
    const auto found = std::find_if(differs.begin(), differs.end(), [](float value) { return value > 0.5F; });
    if (found == differs.end()) {
        return Done{};
    }
    return unfit(ranks, static_cast<int>(found - differs.begin()), what);
}

Result<std::string> textOfFirst(Ranks& ranks, const std::string& own, std::size_t most, std::stop_token stop) {
    std::uint64_t length = own.size();
    PARETO_CHECK(ranks.broadcast(std::as_writable_bytes(std::span(&length, 1)), stop));
    if (length > most) {
        return unfit(ranks, 0, "sends " + std::to_string(length) + " bytes where at most " + std::to_string(most) +
                                   " are expected");
    }
    std::string text = ranks.rank() == 0 ? own : std::string(length, '\0');
    PARETO_CHECK(ranks.broadcast(std::as_writable_bytes(std::span<char>(text)), std::move(stop)));
    return text;
}

Result<std::optional<Checkpoint>> checkpointOfFirst(Ranks& ranks, std::optional<Checkpoint> own, std::int64_t mostValues,
                                                    std::stop_token stop) {
    constexpr std::size_t kMostText = std::size_t{64} << 20;
    Json header;
    if (own) {
        header["state"] = own->state;
        header["tensors"] = Json::object();
        for (const auto& [name, tensor] : own->tensors) {
            header["tensors"][name] = std::vector<std::int64_t>(tensor.sizes().begin(), tensor.sizes().end());
        }
    }
    PARETO_TRY(const auto text, textOfFirst(ranks, header.dump(), kMostText, stop));
    PARETO_TRY(const auto said, parseJson(text, "rank 0's checkpoint"));
    if (said.is_null()) {
        return std::optional<Checkpoint>();
    }
    Checkpoint out;
    out.state = said.at("state");
    std::int64_t values = 0;
    for (const auto& [name, sizes] : said.at("tensors").items()) {
        std::int64_t count = 1;
        for (const auto& size : sizes) {
            const auto one = size.get<std::int64_t>();
            count = one >= 0 && (one == 0 || count <= mostValues / one) ? count * one : mostValues + 1;
        }
        values += count;
        if (values > mostValues) {
            return unfit(ranks, 0, "sends a checkpoint that is larger than this model's can be");
        }
        at::Tensor tensor = own ? plain(own->tensors.at(name).detach())
                                : at::empty(sizes.get<std::vector<std::int64_t>>(), at::TensorOptions().dtype(at::kFloat));
        PARETO_CHECK(ranks.broadcast(std::as_writable_bytes(valuesOf(tensor)), stop));
        out.tensors.emplace(name, std::move(tensor));
    }
    return std::optional<Checkpoint>(std::move(out));
}

}  // namespace pareto::train
