#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// Tiny models with random weights, as the tools people use write them: small enough to make in a
/// test, real enough to open, optimize, run and export. The same seed gives the same bytes. Each
/// function makes `folder` (its parent must exist) and answers it.
namespace pareto::test {

struct TinyTensor {
    std::string name;
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

/// A safetensors file of F32 tensors, written without the engine.
void writeTensors(const std::string& path, const std::vector<TinyTensor>& tensors);
void writeText(const std::string& path, const std::string& text);

/// BertForSequenceClassification: 2 blocks, width 32, 4 heads, 64 neurons, labels "benign" and
/// "attack", WordPiece tokenizer (vocab.txt and tokenizer.json).
std::string writeTinyClassifier(const std::string& folder, std::uint64_t seed = 1);

/// sentence-transformers: the same encoder, mean pooling, and normalized embeddings of 32 values.
std::string writeTinySentenceModel(const std::string& folder, std::uint64_t seed = 2);

/// sentence-transformers whose last Dense has an output a label ("a", "b"): a classifier.
std::string writeTinySentenceClassifier(const std::string& folder, std::uint64_t seed = 3);

/// LlamaForCausalLM: 2 blocks, width 32, 4 heads sharing 2 key/value heads, 64 neurons, tied output,
/// byte-level BPE tokenizer.
std::string writeTinyLlama(const std::string& folder, std::uint64_t seed = 4);

/// T5ForConditionalGeneration: 2 blocks a side, width 32, 4 heads, 64 neurons, gated, head of its own,
/// the tokenizer of writeTinyLlama.
std::string writeTinyT5(const std::string& folder, std::uint64_t seed = 6);

/// A CSV with columns "text" and "label" (0/1), `rows` rows.
std::string writeTinyTask(const std::string& path, int rows = 24, std::uint64_t seed = 5);

}  // namespace pareto::test
