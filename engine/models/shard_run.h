#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "engine/models/model.h"
#include "engine/models/partners.h"
#include "engine/runtime/linear.h"

namespace at {
class Tensor;
}

namespace pareto::runtime {
struct Linear;
}

namespace pareto::models {

/// A batch as neighbouring pieces, four a stage as long as they have enough tokens; whole where there is one stage.
std::vector<TokenBatch> piecesOf(const TokenBatch& batch, int stages);

/// The rows of `more` behind those of `all`.
void appendRows(Matrix& all, const Matrix& more);

/// What a forward graph does with others while it runs a part of a model (weights/shard.h). Tensors are fp32 and lie where the
/// graph computes. What a device of libtorch's holds goes to others from there (Partners::onDevice), else through this process's
/// memory, and what comes from them too: each copy waits for the device. Throws runtime::Failure.
class ShardRun {
public:
    /// `shard` may go away; `partners` stays.
    ShardRun(const Shard& shard, Partners& partners, const runtime::Device& device);

    bool begins() const { return m_begins; }
    bool ends() const { return m_ends; }
    /// Whether the caller's results are here.
    bool leads() const { return m_place.rank == 0; }
    int firstBlock() const { return m_firstBlock; }
    int encoderBlocks() const { return m_encoderBlocks; }
    int stages() const { return m_place.pp; }

    /// What each part of a stage has of a product becomes the whole of it.
    void sum(at::Tensor& values);
    /// For inputs whose columns are divided; null where they are not.
    const runtime::LargestOfAll* largestOfAll() const { return m_place.tp > 1 ? &m_largestOfAll : nullptr; }
    /// Rows of the token table, whoever holds them: [ids][width].
    at::Tensor lookup(const runtime::Linear& table, std::span<const std::int32_t> ids);
    /// Outputs over the vocabulary, of which each part has its own: [rows][vocabulary].
    at::Tensor wholeVocabulary(const at::Tensor& part);
    std::int64_t vocabularyBegin() const { return m_vocabulary[static_cast<std::size_t>(m_place.part())]; }
    /// [rows][columns] of each part, one part behind the other: [parts][rows][columns]. All in memory, whatever the device.
    at::Tensor ofAllParts(const at::Tensor& own);

    /// Hidden states between stages.
    void giveNext(const at::Tensor& states);
    at::Tensor takePrevious(std::initializer_list<std::int64_t> sizes);
    /// From where the last stage has made it to where the caller is: there it is the result, elsewhere an empty matrix.
    Matrix deliver(std::optional<Matrix> made);

private:
    bool staged() const { return m_device.usesTorch() && &m_exchange == &m_partners; }
    at::Tensor outgoing(const at::Tensor& values) const;
    at::Tensor roomFor(std::initializer_list<std::int64_t> sizes) const;
    at::Tensor arrived(const at::Tensor& values) const;
    std::span<float> spanOf(const at::Tensor& tensor) const;

    Partners& m_partners;
    Exchange& m_exchange;  ///< of what lies where the graph computes, or is staged
    runtime::Device m_device;
    ShardPlace m_place;
    bool m_begins;
    bool m_ends;
    int m_firstBlock;
    int m_encoderBlocks;
    std::vector<std::int64_t> m_vocabulary;  ///< bounds of parts
    runtime::LargestOfAll m_largestOfAll;
};

/// A layer's product whose inputs are divided where several processes share a block: the whole of it. `shard`: null where the
/// model is whole.
at::Tensor joinedProduct(ShardRun* shard, const runtime::Device& device, LayerObserver* observer, const runtime::Linear& layer,
                         const at::Tensor& x);

}  // namespace pareto::models
