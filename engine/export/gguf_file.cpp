#include "engine/export/gguf_file.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/core/hash.h"
#include "engine/export/gguf_metadata.h"
#include "engine/export/gguf_tokenizer.h"
#include "engine/export/verify.h"
#include "engine/layout/describe.h"
#include "engine/layout/families.h"

namespace pareto::exporting {

namespace {

constexpr std::size_t kStretchBytes = std::size_t{4} << 20;

/// llama3's scaling stands in a tensor of factors, one a rotated pair (llama.cpp, conversion/llama.py).
std::vector<float> ropeFactors(const RopeSettings& rope, std::int64_t headDim) {
    constexpr double kTurn = 6.283185307179586;
    std::vector<float> factors;
    const double longest = static_cast<double>(rope.originalPositions) / rope.lowFrequencyFactor;
    const double shortest = static_cast<double>(rope.originalPositions) / rope.highFrequencyFactor;
    for (std::int64_t at = 0; at < headDim; at += 2) {
        const double frequency =
            std::pow(rope.theta, -static_cast<double>(at) / static_cast<double>(headDim));
        const double wave = kTurn / frequency;
        if (wave < shortest) {
            factors.push_back(1.0F);
        } else if (wave > longest) {
            factors.push_back(static_cast<float>(rope.factor));
        } else {
            const double smooth = (static_cast<double>(rope.originalPositions) / wave -
                                   rope.lowFrequencyFactor) /
                                  (rope.highFrequencyFactor - rope.lowFrequencyFactor);
            factors.push_back(static_cast<float>(1.0 / ((1.0 - smooth) / rope.factor + smooth)));
        }
    }
    return factors;
}

Error mismatchAt(const std::string& path, const std::string& what, std::string reason) {
    return makeError(ErrorCode::ExportMismatch,
                     {{"file", path}, {"tensor", what}, {"reason", std::move(reason)}});
}

/// How far a value may lie from the model's, relative to the largest of its block: a step and the rounding
/// of its scale. Values of another place or scale are far beyond it.
double tolerance(const io::GgmlType& type) {
    switch (type.id) {
    case 0:
        return 0.0;
    case 1:
        return 1.0 / 1024;
    case 30:
        return 1.0 / 128;
    case 8:
        return 0.01;
    case 14:
        return 0.08;
    case 6:
    case 7:
        return 0.14;
    case 13:
        return 0.2;
    case 12:
        return 0.4;
    default:
        return 0.27;
    }
}

class Verifier {
public:
    Verifier(const std::string& path, const LoadedModel& model, const GgufContent& content,
             Progress& progress, std::stop_token stop)
        : m_path(path),
          m_model(model),
          m_content(content),
          m_progress(progress),
          m_stop(std::move(stop)) {}

    Result<GgufVerdict> run() {
        m_progress.begin(Stage::Verifying, static_cast<std::int64_t>(m_content.tensors.size()),
                         Unit::Layers);
        const auto files = io::ModelFiles::open(m_path);
        if (files.cancelled()) {
            return Cancelled{};
        }
        if (!files.ok()) {
            return mismatchAt(m_path, "(all)",
                            "it cannot be opened again: " + errorMessage(files.error()));
        }
        PARETO_CHECK(checkEntries(*files.value()));
        for (std::size_t at = 0; at < m_content.tensors.size(); ++at) {
            PARETO_CHECK(checkTensor(*files.value(), at));
            m_progress.advance();
        }
        if (files.value()->tensors().size() != m_content.tensors.size() + (m_content.factors.empty() ? 0 : 1)) {
            return mismatchAt(m_path, "(all)", "there are tensors that the model does not have");
        }
        PARETO_CHECK(checkStructure(*files.value()));
        return m_verdict;
    }

private:
    Status checkEntries(const io::ModelFiles& files) const {
        const io::GgufMetadata& metadata = files.gguf();
        for (const auto& entry : m_content.entries) {
            const bool same = std::visit(
                [&]<typename T>(const T& value) {
                    if constexpr (std::is_same_v<T, std::vector<std::string>>) {
                        const auto found = metadata.strings.find(entry.key);
                        return found != metadata.strings.end() && found->second == value;
                    } else if constexpr (requires { typename T::value_type; } &&
                                         !std::is_same_v<T, std::string>) {
                        const auto found = metadata.numbers.find(entry.key);
                        return found != metadata.numbers.end() &&
                               std::equal(value.begin(), value.end(), found->second.begin(),
                                          found->second.end(), [](auto a, double b) {
                                              return static_cast<double>(a) == b;
                                          });
                    } else {
                        const auto found = metadata.values.find(entry.key);
                        return found != metadata.values.end() && *found == Json(value);
                    }
                },
                entry.value);
            if (!same) {
                return mismatchAt(m_path, entry.key, "the metadata entry differs");
            }
        }
        return Done{};
    }

    Status checkTensor(const io::ModelFiles& files, std::size_t at) {
        const GgufTensorPlan& plan = m_content.tensors[at];
        const std::string& name = plan.tensor.name;
        const io::TensorInfo* info = files.find(name);
        if (info == nullptr) {
            return mismatchAt(m_path, name, "it is missing");
        }
        if (!(info->shape == plan.tensor.shape) || info->typeName != plan.type->name) {
            return mismatchAt(m_path, name, "it is " + info->typeName + " " + info->shape.text() +
                                              " instead of " + std::string(plan.type->name) + " " +
                                              plan.tensor.shape.text());
        }
        PARETO_TRY(const Buffer bytes, files.raw(*info));
        Sha256 hash;
        hash.add(bytes.bytes());
        if (hash.hex() != m_content.hashes[at]) {
            return mismatchAt(m_path, name, "its bytes are not those that were written");
        }
        return checkValues(files, *info, plan);
    }

    Status checkValues(const io::ModelFiles& files, const io::TensorInfo& info,
                       const GgufTensorPlan& plan) {
        const GgufRows rows(m_model, plan);
        const auto stretch = std::max<std::int64_t>(
            1, static_cast<std::int64_t>(kStretchBytes / sizeof(float)) / rows.cols());
        std::vector<float> expected(static_cast<std::size_t>(stretch * rows.cols()));
        for (std::int64_t begin = 0; begin < rows.rows(); begin += stretch) {
            if (m_stop.stop_requested()) {
                return Cancelled{};
            }
            const auto count = std::min(stretch, rows.rows() - begin);
            const auto values = std::span(expected).first(static_cast<std::size_t>(count * rows.cols()));
            rows.values(begin, count, values.data());
            const bool vector = plan.tensor.shape.rank() == 1;
            PARETO_TRY(const Buffer found,
                       vector ? files.floats(info) : files.floatRows(info, begin, count));
            if (const auto reason = difference(*plan.type, values, found.as<float>());
                !reason.empty()) {
                return mismatchAt(m_path, plan.tensor.name, reason);
            }
        }
        return Done{};
    }

    std::string difference(const io::GgmlType& type, std::span<const float> expected,
                           std::span<const float> found) {
        constexpr double kFloor = 1e-4;  // scales are held in half precision
        const double share = tolerance(type);
        const std::size_t block = type.block ? type.blockElements : 1;
        for (std::size_t begin = 0; begin < expected.size(); begin += block) {
            double most = 0.0;
            for (std::size_t at = begin; at < begin + block; ++at) {
                most = std::max(most, std::fabs(static_cast<double>(expected[at])));
                m_verdict.lostZeros += expected[at] == 0.0F && found[at] != 0.0F ? 1 : 0;
            }
            const double limit = share == 0.0 ? 0.0 : share * most + kFloor;
            for (std::size_t at = begin; at < begin + block; ++at) {
                const double off = std::fabs(static_cast<double>(found[at]) - expected[at]);
                if (!(off <= limit)) {  // a NaN is not
                    return "a value is " + std::to_string(found[at]) + " instead of " +
                           std::to_string(expected[at]);
                }
            }
        }
        return {};
    }

    /// Families that we read from GGUF, too, must come back with the same structure.
    Status checkStructure(const io::ModelFiles& files) const {
        const auto all = familyFiles();
        const bool read = std::any_of(all.begin(), all.end(), [&](const FamilyFiles& family) {
            return family.family == m_model.layout.family && family.describeGguf != nullptr;
        });
        if (!read) {
            return Done{};
        }
        const auto layout = describeModel(files);
        if (!layout.ok()) {
            return mismatchAt(m_path, "(structure)", errorMessage(layout.error()));
        }
        const auto reason = structureDifference(m_model.layout, layout.value());
        return reason.empty() ? Status(Done{}) : mismatchAt(m_path, "(structure)", reason);
    }

    const std::string& m_path;
    const LoadedModel& m_model;
    const GgufContent& m_content;
    Progress& m_progress;
    std::stop_token m_stop;
    GgufVerdict m_verdict;
};

}  // namespace

Result<GgufContent> ggufContent(const LoadedModel& model, const GgufPlan& plan,
                                const io::ModelFiles& source, std::vector<std::string>& notes) {
    GgufContent content;
    content.tensors = plan.tensors;
    content.entries = ggufModelEntries(model.layout, plan);
    const auto& ropes = model.layout.ropes;
    if (!ropes.empty() && ropes.front().scaling == RopeSettings::Scaling::Llama3) {
        content.factors = ropeFactors(ropes.front(), model.layout.headDim);
    }
    PARETO_TRY(auto tokenizer, ggufTokenizerEntries(source, model.layout.vocabulary, notes));
    std::set<std::string> known;
    for (const auto& entry : content.entries) {
        known.insert(entry.key);
    }
    std::copy_if(std::make_move_iterator(tokenizer.begin()),
                 std::make_move_iterator(tokenizer.end()), std::back_inserter(content.entries),
                 [&](const io::GgufEntry& entry) { return !known.contains(entry.key); });
    return content;
}

Status writeGgufFile(const std::string& path, const LoadedModel& model, GgufContent& content,
                     Progress& progress, std::stop_token stop, const ParallelFor& parallel) {
    std::vector<GgufRows> rows;
    for (const auto& plan : content.tensors) {
        rows.emplace_back(model, plan);
    }
    std::vector<Sha256> hashes(rows.size());
    std::vector<io::GgufTensor> tensors;
    for (std::size_t at = 0; at < rows.size(); ++at) {
        const GgufTensorPlan& plan = content.tensors[at];
        tensors.push_back({plan.tensor.name, plan.tensor.shape,
                           static_cast<std::uint32_t>(plan.type->id),
                           [&, at](std::int64_t begin, std::int64_t count) -> Result<Buffer> {
                               Buffer bytes = rows[at].encode(begin, count, parallel);
                               hashes[at].add(bytes.bytes());
                               return bytes;
                           }});
    }
    if (!content.factors.empty()) {
        tensors.push_back({"rope_freqs.weight",
                           Shape{static_cast<std::int64_t>(content.factors.size())}, 0,
                           [&](std::int64_t, std::int64_t) -> Result<Buffer> {
                               return Buffer::copyOf(std::span<const float>(content.factors));
                           }});
    }
    PARETO_CHECK(io::writeGguf(path, content.entries, tensors, progress, std::move(stop)));
    content.hashes.clear();
    for (auto& hash : hashes) {
        content.hashes.push_back(hash.hex());
    }
    return Done{};
}

Result<GgufVerdict> verifyGguf(const std::string& path, const LoadedModel& model,
                               const GgufContent& content, Progress& progress,
                               std::stop_token stop) {
    return Verifier(path, model, content, progress, std::move(stop)).run();
}

}  // namespace pareto::exporting
