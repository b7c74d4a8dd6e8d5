#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/buffer.h"
#include "engine/core/dtype.h"
#include "engine/core/json.h"
#include "engine/core/parallel.h"
#include "engine/core/progress.h"
#include "engine/core/shape.h"

namespace pareto::io {

/// How a tensor's bytes lie in its file: a plain DType, or one of GGUF's block formats.
struct Encoding {
    bool block = false;
    DType dtype = DType::F32;  ///< when !block
    int ggmlType = 0;          ///< when block: the type id of the GGUF specification
    bool operator==(const Encoding&) const = default;
};

/// Gives the fp32 values of rows [begin, begin + count) of a tensor, row-major.
using RowSource = std::function<Result<Buffer>(std::int64_t begin, std::int64_t count)>;

struct TensorInfo {
    std::string name;
    Shape shape;           ///< row-major, outermost first (GGUF's dimensions reversed)
    Encoding encoding;
    std::string typeName;  ///< "F32", "Q4_1"
    int file = 0;          ///< index into ModelFiles::files()
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    /// Set where the values do not lie in the file as they are (derived.h): encoding is F32 then, offset 0
    /// and `bytes` what the values need.
    std::shared_ptr<const RowSource> derived;
};

/// Onnx, CTranslate2 and Marian look like HuggingFace once they are read: config() is what transformers
/// writes for that family, tensors have its names.
enum class Format { HuggingFace, SentenceTransformers, Gguf, Onnx, CTranslate2, Marian };

/// How bytes are fetched. The studio reads (a mapped file that shrinks would kill it), the engine maps.
enum class Access { Read, Map };

/// Key/value metadata of a GGUF file, with the big tokenizer arrays apart.
struct GgufMetadata {
    Json values = Json::object();                         ///< scalars and small arrays
    std::map<std::string, std::vector<std::string>> strings;  ///< string arrays, e.g. tokenizer.ggml.tokens
    std::map<std::string, std::vector<double>> numbers;   ///< numeric arrays, e.g. tokenizer.ggml.token_type
};

/// One sentence-transformers module after the transformer.
struct SentenceModule {
    std::string type;    ///< "Pooling", "Dense", "Normalize"
    std::string path;    ///< folder relative to the model
    Json config;
};

/// A model on disk: every header read and checked (RELIABILITY rules: sizes, overlaps, names,
/// containment), no weight touched yet. Immutable, thread-safe.
class ModelFiles {
public:
    /// `path`: a repository name of the Hugging Face cache ("organization/name"), a Hugging Face or
    /// sentence-transformers folder, a .safetensors file or PyTorch state dict inside one, or a GGUF
    /// file, an ONNX export, a model.bin of CTranslate2 or an .npz of Marian (told by content, not by name). Of a pickle nothing is ever run: all but state dicts are refused by
    /// content. Errors: FileMissing, FileFormatUnknown, FileTruncated, FileCorrupt, FileUnsafe,
    /// ConfigInvalid, FamilyUnknown, JsonInvalid, TensorMissing, TensorShape, TensorType.
    static Result<std::shared_ptr<const ModelFiles>> open(const std::string& path,
                                                          Access access = Access::Map);
    ~ModelFiles();

    const std::string& path() const;  ///< absolute, normalized
    std::string name() const;         ///< last part of the path, for people
    Format format() const;
    const Json& config() const;       ///< config.json of the transformer; null for GGUF
    const Json& generation() const;   ///< generation_config.json, an object; null where there is none
    const GgufMetadata& gguf() const; ///< empty unless Gguf
    const std::vector<SentenceModule>& modules() const;  ///< after the transformer, in order
    /// Folder of the transformer itself (config, tokenizer): the model folder or modules.json's path.
    const std::string& transformerFolder() const;
    /// Labels of a classifier: config's id2label, or of a sentence-transformers folder's
    /// config_sentence_transformers.json / labels.json; empty when there are none.
    std::vector<std::string> labels() const;
    /// Things worth telling a person about: code in the folder that is never run, a total size that
    /// does not agree. English.
    const std::vector<std::string>& notices() const;

    /// Names are unique; tensors of a Dense module are prefixed with its path ("2_Dense/linear.weight").
    const std::map<std::string, TensorInfo>& tensors() const;
    const TensorInfo* find(const std::string& name) const;
    std::vector<std::string> files() const;    ///< weight files, absolute paths
    std::uint64_t fileBytes() const;

    /// The tensor's bytes as they lie in the file. With Access::Map a view, else a copy.
    Result<Buffer> raw(const TensorInfo& tensor) const;
    /// The tensor's values as row-major fp32: converted from F64/F16/BF16/F8/integers, dequantized
    /// from GGUF blocks bit for bit as gguf-py does. A view when it is F32 already and mapped.
    Result<Buffer> floats(const TensorInfo& tensor, const ParallelFor& parallel = serialFor) const;
    /// Rows [begin, begin + count) of a tensor of rank ≥ 1, as fp32: bounded memory for large tensors.
    Result<Buffer> floatRows(const TensorInfo& tensor, std::int64_t begin, std::int64_t count,
                             const ParallelFor& parallel = serialFor) const;

    /// SHA-256 over the weight files and config, hex. Reads everything once.
    Result<std::string> contentHash(Progress& progress, std::stop_token stop) const;

private:
    struct State;
    explicit ModelFiles(std::unique_ptr<State> state);
    Result<Buffer> derivedRows(const TensorInfo& tensor, std::int64_t begin, std::int64_t count) const;
    Result<Buffer> bytesAt(const TensorInfo& tensor, std::uint64_t offset, std::uint64_t size) const;
    Result<Buffer> floatsAt(const TensorInfo& tensor, std::uint64_t offset, std::uint64_t size,
                            std::uint64_t elements, const ParallelFor& parallel) const;
    std::unique_ptr<State> m_state;
};

}  // namespace pareto::io
