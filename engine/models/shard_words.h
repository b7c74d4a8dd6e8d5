#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/core/result.h"

namespace pareto::models {

/// What the process that leads a model in parts has the others do.
enum class ShardOp : std::int32_t {
    End,            ///< nothing more will come
    Prepare,        ///< a number for a model; whether it is the untouched one; the first block of each stage
    Forget,         ///< a model
    Report,         ///< what each did so far
    MeasureLink,    ///< sums to time
    CompareClocks,  ///< each says what time it is
    Record,         ///< whether calls are kept from here on; else: what was kept is said
    Run,            ///< a model; a batch
    TokenOutputs,   ///< … and the wanted tokens
    HiddenStates,   ///< a model; a batch
    NewCaches,      ///< a model; a number and the sequences of each cache; capacity; format
    EncodeSources,  ///< a model; a batch; copies; a number for the cache; capacity; format
    DropCache,      ///< a cache
    Truncate,       ///< a cache; sequence; length
    Reorder,        ///< a cache; parents
    Step,           ///< a model; whether every token; caches with ids
    Likelihoods,    ///< a model; ids
    TargetLogits,   ///< a model; source; target
    EncoderStates,  ///< a model; source
};

/// The most words that are read of another process: a batch of 4096 texts of some thousand tokens.
inline constexpr std::size_t kMostShardWords = std::size_t{1} << 26;

using IdLists = std::vector<std::vector<std::int32_t>>;

/// A sentence of them, written and read in the same order.
class WordWriter {
public:
    explicit WordWriter(ShardOp op) { m_words.push_back(static_cast<std::int32_t>(op)); }
    WordWriter& put(std::int64_t value);
    WordWriter& put(std::span<const std::int32_t> values);
    WordWriter& put(const IdLists& lists);
    const std::vector<std::int32_t>& words() const { return m_words; }

private:
    std::vector<std::int32_t> m_words;
};

/// What is behind the end, or not as long as it says, makes good() false and reads as nothing.
class WordReader {
public:
    explicit WordReader(std::span<const std::int32_t> words) : m_words(words) {}
    std::int32_t op();
    std::int64_t number();
    std::vector<std::int32_t> list();
    IdLists lists();
    bool good() const { return m_good; }
    /// EngineFailure unless all was read, and was good.
    Status end() const;

private:
    std::span<const std::int32_t> m_words;
    std::size_t m_at = 0;
    bool m_good = true;
};

}  // namespace pareto::models
