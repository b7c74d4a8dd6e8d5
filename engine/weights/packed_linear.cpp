#include "engine/weights/packed_linear.h"

#include <algorithm>
#include <array>

#include "engine/weights/quantized_parts.h"

namespace pareto {
namespace {

/// The nibble of a word that belongs to each of eight outputs: the word holds 0, 2, 4, 6, 1, 3, 5, 7.
constexpr std::array<int, 8> kAwqPlace{0, 4, 1, 5, 2, 6, 3, 7};

class PackedReader {
public:
    PackedReader(const io::ModelFiles& files, PackedScheme scheme, std::string module,
                 const Shape& shape)
        : m_files(files),
          m_scheme(scheme),
          m_module(std::move(module)),
          m_rows(shape[0]),
          m_cols(shape[1]),
          m_middle(1 << (scheme.bits - 1)) {}

    Result<Tensor> run() {
        m_out.rows = m_rows;
        m_out.cols = m_cols;
        const bool whole = m_scheme.groupSize < 1 || m_scheme.groupSize > m_cols;
        m_groups = whole ? 1 : (m_cols + m_scheme.groupSize - 1) / m_scheme.groupSize;
        PARETO_CHECK(readScalesByRow());
        PARETO_TRY(m_out.groupOf, scatteredGroups(m_files, m_module + ".g_idx", m_cols,
                                                  whole ? 0 : m_scheme.groupSize));
        const bool awq = m_scheme.layout == PackedScheme::Layout::Awq;
        PARETO_CHECK(awq ? readAwq() : readGptq());
        WeightFormat format = m_scheme.format(m_cols);
        const auto zeros = m_out.zeros.as<std::int8_t>();
        const bool centred =
            std::all_of(zeros.begin(), zeros.end(), [](int zero) { return zero == 0; });
        format.symmetric = format.symmetric && centred;
        return heldTensor(m_files, m_module + ".g_idx", std::move(m_out), format);
    }

private:
    Result<Buffer> words(const std::string& part, const Shape& shape) const {
        PARETO_TRY(const auto* tensor, partNamed(m_files, m_module + part));
        if (!hasType(*tensor, DType::I32)) {
            return wrongType(m_files, *tensor, "packed codes are I32 words");
        }
        if (tensor->shape != shape) {
            return wrongShape(m_files, *tensor, shape.text());
        }
        return m_files.raw(*tensor);
    }
    static std::int64_t wordsFor(std::int64_t count, int bits) { return (count * bits + 31) / 32; }

    /// The file has them [groups][rows].
    Status readScalesByRow() {
        PARETO_TRY(const auto* tensor, partNamed(m_files, m_module + ".scales"));
        if (tensor->shape != Shape{m_groups, m_rows}) {
            return wrongShape(m_files, *tensor, Shape{m_groups, m_rows}.text());
        }
        PARETO_TRY(const Buffer scales, readScales(m_files, *tensor));
        const auto values = scales.as<float>();
        std::vector<float> turned(values.size());
        for (std::int64_t group = 0; group < m_groups; ++group) {
            for (std::int64_t row = 0; row < m_rows; ++row) {
                turned[static_cast<std::size_t>(row * m_groups + group)] =
                    values[static_cast<std::size_t>(group * m_rows + row)];
            }
        }
        m_out.scales = Buffer::copyOf(std::span<const float>(turned));
        return Done{};
    }

    std::int8_t codeOf(std::uint32_t stored) const {
        return static_cast<std::int8_t>(static_cast<int>(stored) - m_middle);
    }
    /// A zero point of 0 stored less one has wrapped around.
    std::int8_t zeroOf(std::uint32_t stored) const {
        return codeOf((stored + (m_scheme.zeroMinusOne ? 1U : 0U)) & ((1U << m_scheme.bits) - 1U));
    }
    /// int8[rows][cols], each what `element` says of (row, col).
    template <typename Element>
    static Buffer matrix(std::int64_t rows, std::int64_t cols, Element&& element) {
        return Buffer::create(static_cast<std::size_t>(rows * cols), [&](std::span<std::byte> out) {
            for (std::int64_t row = 0; row < rows; ++row) {
                for (std::int64_t col = 0; col < cols; ++col) {
                    out[static_cast<std::size_t>(row * cols + col)] =
                        static_cast<std::byte>(element(row, col));
                }
            }
        });
    }

    Status readGptq() {
        const int bits = m_scheme.bits;
        const auto zeroWords = wordsFor(m_rows, bits);
        PARETO_TRY(const Buffer codes, words(".qweight", Shape{wordsFor(m_cols, bits), m_rows}));
        PARETO_TRY(const Buffer zeros, words(".qzeros", Shape{m_groups, zeroWords}));
        m_out.codes = matrix(m_rows, m_cols, [&](std::int64_t row, std::int64_t col) {
            const auto column = codes.as<std::uint32_t>().subspan(static_cast<std::size_t>(row));
            return codeOf(packedElement(column, col, bits, m_rows));
        });
        m_out.zeros = matrix(m_rows, m_groups, [&](std::int64_t row, std::int64_t group) {
            const auto line =
                zeros.as<std::uint32_t>().subspan(static_cast<std::size_t>(group * zeroWords));
            return zeroOf(packedElement(line, row, bits));
        });
        return Done{};
    }

    Status readAwq() {
        const auto wordsARow = wordsFor(m_rows, 4);
        PARETO_TRY(const Buffer codes, words(".qweight", Shape{m_cols, wordsARow}));
        PARETO_TRY(const Buffer zeros, words(".qzeros", Shape{m_groups, wordsARow}));
        const auto nibble = [&](const Buffer& from, std::int64_t line, std::int64_t row) {
            const auto word =
                from.as<std::uint32_t>()[static_cast<std::size_t>(line * wordsARow + row / 8)];
            return (word >> (4 * kAwqPlace[static_cast<std::size_t>(row % 8)])) & 15U;
        };
        m_out.codes = matrix(m_rows, m_cols, [&](std::int64_t row, std::int64_t col) {
            return codeOf(nibble(codes, col, row));
        });
        m_out.zeros = matrix(m_rows, m_groups, [&](std::int64_t row, std::int64_t group) {
            return zeroOf(nibble(zeros, group, row));
        });
        return Done{};
    }

    const io::ModelFiles& m_files;
    PackedScheme m_scheme;
    std::string m_module;
    std::int64_t m_rows;
    std::int64_t m_cols;
    int m_middle;  ///< what is taken from a stored code
    std::int64_t m_groups = 1;
    IntegerCodes m_out;
};

}  // namespace

Result<Tensor> readPacked(const io::ModelFiles& files, const PackedConfig& config,
                          const std::string& module, const Shape& shape) {
    return PackedReader(files, config.find(module), module, shape).run();
}

}  // namespace pareto
