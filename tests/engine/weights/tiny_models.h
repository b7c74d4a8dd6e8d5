#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/core/parallel.h"
#include "engine/core/random.h"
#include "engine/io/safetensors_writer.h"
#include "engine/weights/tensor.h"

namespace pareto::test {

/// Sizes of a made-up encoder checkpoint with random weights.
struct TinyBert {
    int blocks = 3;
    std::int64_t hidden = 24;
    std::int64_t heads = 4;
    std::int64_t neurons = 40;
    std::int64_t vocabulary = 30;
    std::int64_t positions = 16;
    std::int64_t classes = 0;         ///< > 0: BertForSequenceClassification
    std::vector<std::int64_t> dense;  ///< output sizes of sentence-transformers Dense modules
    bool sentence = false;  ///< a sentence-transformers folder: mean pooling, dense, normalize
    DType dtype = DType::F32;
    std::uint64_t seed = 1;
};

struct TinyLlama {
    int blocks = 3;
    std::int64_t hidden = 32;
    std::int64_t heads = 6;
    std::int64_t kvHeads = 3;
    std::int64_t headDim = 8;
    std::int64_t neurons = 48;
    std::int64_t vocabulary = 40;
    bool tied = true;
    bool attentionBias = false;
    DType dtype = DType::F32;
    std::uint64_t seed = 2;
};

/// Write a Hugging Face folder (config.json, model.safetensors, vocab.txt / modules). The folder exists.
Status writeTiny(const std::string& folder, const TinyBert& sizes);
Status writeTiny(const std::string& folder, const TinyLlama& sizes);

/// Opens, describes and loads a folder.
Result<LoadedModel> loadFolder(const std::string& folder);

/// A tensor to write from fp32 values, converted to `dtype` (F32, F16, BF16).
io::TensorToWrite floatTensor(std::string name, Shape shape, const std::vector<float>& values,
                              DType dtype = DType::F32);
template <typename T>
io::TensorToWrite rawTensor(std::string name, DType dtype, Shape shape,
                            const std::vector<T>& values) {
    return {
        std::move(name), dtype, std::move(shape),
        [bytes = Buffer::copyOf(std::span<const T>(values))]() -> Result<Buffer> { return bytes; }};
}
Status writeTensors(const std::string& path, std::vector<io::TensorToWrite> tensors);

std::vector<float> randomValues(std::int64_t count, std::uint64_t seed, double scale = 1.0);

/// Cuts the work into pieces of at most `grain` and runs them on three threads, last piece first: finds
/// results that depend on how work is shared.
ParallelFor scatteredFor();

}  // namespace pareto::test
