#pragma once

#include <optional>

#include "engine/text/flat_map.h"
#include "engine/text/word_model.h"

namespace pareto::text {

/// A token of a Unigram vocabulary.
struct UnigramPiece {
    std::string text;
    double score = 0.0;  ///< log probability
    std::int32_t id = 0;
};

struct UnigramOptions {
    std::int32_t unknown = -1;  ///< id for what no piece covers; -1: such characters are dropped
    bool byteFallback = false;  ///< bytes ("<0x0A>") instead of the unknown token
    /// Sums of scores are rounded to single precision, as in SentencePiece; the `tokenizers` package
    /// keeps double precision.
    bool singlePrecision = false;
    /// Score of an unknown character; usually less than that of every piece.
    std::optional<double> unknownScore;
};

/// The most likely cut of a word into pieces (Viterbi): Kudo, "Subword Regularization", 2018.
class Unigram : public WordModel {
public:
    Unigram(const std::vector<UnigramPiece>& pieces, UnigramOptions options);
    /// A vocabulary with more tokens than the pieces, or with other ids for some texts.
    Unigram(const std::vector<UnigramPiece>& pieces, UnigramOptions options, Vocabulary vocabulary);

    void tokenize(const Word& word, WordScratch& scratch, std::vector<WordToken>& out) const override;
    const Vocabulary& vocabulary() const override { return m_vocabulary; }

private:
    /// End of a piece in the trie.
    struct Leaf {
        std::int32_t id = -1;
        double score = 0.0;
    };

    void insert(const UnigramPiece& piece);
    std::uint32_t child(std::uint32_t node, std::uint8_t byte) const;
    void fillNodes(const Word& word, WordScratch& scratch) const;
    double sum(double a, double b) const;
    void appendUnknown(const Word& word, const WordScratch& scratch, WordToken run,
                       std::vector<WordToken>& out) const;

    Vocabulary m_vocabulary;
    UnigramOptions m_options;
    FlatMap<std::uint32_t> m_children;  ///< node * 256 + byte -> node; 0: none
    std::vector<Leaf> m_leaves;         ///< by node
    std::vector<std::int32_t> m_byteIds;
    double m_unknownScore = 0.0;
};

}  // namespace pareto::text
