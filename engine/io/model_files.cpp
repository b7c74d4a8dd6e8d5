#include "engine/io/model_files.h"

#include <algorithm>
#include <filesystem>
#include <new>

#include "engine/core/hash.h"
#include "engine/io/convert.h"
#include "engine/io/ctranslate2_file.h"
#include "engine/io/gguf.h"
#include "engine/io/gguf_dequant.h"
#include "engine/io/hf_cache.h"
#include "engine/io/hf_folder.h"
#include "engine/io/npz.h"
#include "engine/io/onnx_file.h"
#include "engine/io/safetensors.h"
#include "engine/io/torch_file.h"

namespace pareto::io {
namespace fs = std::filesystem;

struct ModelFiles::State {
    std::string path;
    Access access = Access::Map;
    ModelContents contents;
    std::vector<Buffer> maps;  ///< one a weight file, with Access::Map
};

namespace {

Error unknownFormat(const std::string& path, std::string reason) {
    return makeError(ErrorCode::FileFormatUnknown,
                     {{"file", path}, {"reason", std::move(reason)}});
}

Result<ModelContents> openGguf(const std::string& path, std::shared_ptr<InputFile> file) {
    PARETO_TRY(auto header, readGgufHeader(*file));
    ModelContents contents;
    contents.format = Format::Gguf;
    contents.gguf = std::move(header.metadata);
    contents.transformerFolder = fs::path(path).parent_path().string();
    for (auto& tensor : header.tensors) {
        const auto name = tensor.name;
        contents.tensors.emplace(name, std::move(tensor));
    }
    contents.files.push_back({path, std::move(file)});
    return contents;
}

/// A folder with nothing but a GGUF file in it stands for that file.
Result<std::string> onlyGgufIn(const std::string& folder) {
    std::vector<std::string> found;
    std::error_code problem;
    for (fs::directory_iterator it(folder, problem), end; !problem && it != end;
         it.increment(problem)) {
        if (it->path().extension() == ".gguf") {
            found.push_back(it->path().filename().string());
        }
    }
    if (found.size() == 1) {
        return (fs::path(folder) / found.front()).string();
    }
    if (found.empty()) {
        return unknownFormat(folder, "the folder has no config.json, no modules.json and no .gguf file");
    }
    std::sort(found.begin(), found.end());
    std::string list;
    for (const auto& name : found) {
        list += (list.empty() ? "" : ", ") + name;
    }
    return unknownFormat(folder, "the folder holds several models; open one of them: " + list);
}

/// The model of a folder in which config.json is not the whole story: CTranslate2's, whose config.json is
/// its own, and ONNX exports without other weights. Empty when it is an ordinary one.
std::string foreignModelIn(const std::string& folder) {
    std::error_code problem;
    const auto named = [&](const char* name) { return (fs::path(folder) / name).string(); };
    if (fs::is_regular_file(named("model.bin"), problem)) {
        const auto file = InputFile::open(named("model.bin"));
        if (file.ok()) {
            const auto content = contentOf(*file.value());
            return content.ok() && content.value() == Content::CTranslate2 ? named("model.bin") : std::string();
        }
    }
    std::string onnx;
    for (fs::directory_iterator it(folder, problem), end; !problem && it != end; it.increment(problem)) {
        const auto extension = it->path().extension();
        if (extension == ".safetensors" || extension == ".bin" || extension == ".gguf" || extension == ".pt") {
            return {};
        }
        const auto name = it->path().filename().string();
        if (extension == ".onnx" && (name == "model.onnx" || name == "encoder_model.onnx")) {
            onnx = it->path().string();
        }
    }
    return onnx;
}

/// One shard of several stands for all of them.
bool isShard(const fs::path& place, const char* index) {
    return place.filename().string().find("-of-") != std::string::npos &&
           fs::exists(place.parent_path() / index);
}

Result<ModelContents> openTorch(const fs::path& place, const InputFile& file, Content content) {
    if (place.extension() == ".safetensors" || place.extension() == ".gguf") {
        return disguisedPickle(place.string());
    }
    // Refused before its folder is looked at.
    PARETO_CHECK(readTorchFile(file, content));
    return openHfFolder(place.parent_path().string(), isShard(place, "pytorch_model.bin.index.json")
                                                          ? std::string()
                                                          : place.filename().string());
}

Result<ModelContents> openFile(const std::string& path) {
    PARETO_TRY(auto file, InputFile::open(path));
    PARETO_TRY(const auto content, contentOf(*file));
    const fs::path place(path);
    const auto folder = place.parent_path().string();
    const auto name = place.filename().string();
    switch (content) {
        case Content::Gguf: return openGguf(path, std::move(file));
        case Content::Onnx: return openOnnx(path, std::move(file));
        case Content::CTranslate2: return openCTranslate2(path, std::move(file));
        case Content::Zip:
            if (isNpz(*file)) {
                return openMarian(path, std::move(file));
            }
            [[fallthrough]];
        case Content::Pickle: return openTorch(path, *file, content);
        case Content::Safetensors: break;
        case Content::Other:
            if (name == "config.json" || name == "modules.json" || name.ends_with(".index.json")) {
                return openHfFolder(folder);
            }
            if (place.extension() == ".gguf") {
                return readGgufHeader(*file).failure<ModelContents>();
            }
            if (place.extension() != ".safetensors") {
                return unknownFormat(path, "it is no safetensors, GGUF, ONNX or CTranslate2 file, no "
                                           "PyTorch state dict and no archive of Marian");
            }
    }
    // A file that is no valid safetensors file is refused before its folder is looked at.
    PARETO_CHECK(readSafetensorsHeader(*file));
    const bool whole = name == "model.safetensors" || isShard(place, "model.safetensors.index.json");
    return openHfFolder(folder, whole ? std::string() : name);
}

Result<ModelContents> openPath(const std::string& path) {
    std::error_code problem;
    if (!fs::is_directory(path, problem)) {
        return openFile(path);
    }
    const auto folder = resolveCacheFolder(path);
    if (const auto file = foreignModelIn(folder); !file.empty()) {
        return openFile(file);
    }
    if (fs::exists(fs::path(folder) / "config.json", problem) ||
        fs::exists(fs::path(folder) / "modules.json", problem)) {
        return openHfFolder(folder);
    }
    PARETO_TRY(const auto file, onlyGgufIn(folder));
    return openFile(file);
}

Error noMemory(const TensorInfo& tensor, std::uint64_t bytes) {
    return makeError(ErrorCode::MemoryShort, {{"what", "tensor " + tensor.name},
                                              {"needed", std::to_string(bytes)},
                                              {"free", "less"}});
}

bool isAligned(const std::byte* data, std::size_t alignment) {
    return reinterpret_cast<std::uintptr_t>(data) % alignment == 0;
}

}  // namespace

ModelFiles::ModelFiles(std::unique_ptr<State> state) : m_state(std::move(state)) {}
ModelFiles::~ModelFiles() = default;

Result<std::shared_ptr<const ModelFiles>> ModelFiles::open(const std::string& path, Access access) {
    std::error_code problem;
    if (path.empty() || path.find('\0') != std::string::npos) {
        return makeError(ErrorCode::FileMissing, {{"file", path}});
    }
    const bool exists = fs::exists(fs::symlink_status(path, problem));
    const std::string cached = exists ? std::string() : cachedRepository(path);
    fs::path normal = fs::absolute(fs::path(cached.empty() ? path : cached), problem).lexically_normal();
    if (!normal.has_filename()) {
        normal = normal.parent_path();
    }
    auto state = std::make_unique<State>();
    state->path = normal.string();
    state->access = access;
    PARETO_TRY(state->contents, openPath(state->path));
    if (access == Access::Map) {
        for (const auto& file : state->contents.files) {
            PARETO_TRY(auto map, file.file->map());
            state->maps.push_back(std::move(map));
        }
    }
    return std::shared_ptr<const ModelFiles>(new ModelFiles(std::move(state)));
}

const std::string& ModelFiles::path() const { return m_state->path; }
std::string ModelFiles::name() const {
    const auto repository = repositoryNameOf(m_state->path);
    return repository.empty() ? fs::path(m_state->path).filename().string() : repository;
}
Format ModelFiles::format() const { return m_state->contents.format; }
const Json& ModelFiles::config() const { return m_state->contents.config; }
const Json& ModelFiles::generation() const { return m_state->contents.generation; }
const GgufMetadata& ModelFiles::gguf() const { return m_state->contents.gguf; }
const std::vector<SentenceModule>& ModelFiles::modules() const { return m_state->contents.modules; }
const std::string& ModelFiles::transformerFolder() const {
    return m_state->contents.transformerFolder;
}
std::vector<std::string> ModelFiles::labels() const { return m_state->contents.labels; }
const std::vector<std::string>& ModelFiles::notices() const { return m_state->contents.notices; }

const std::map<std::string, TensorInfo>& ModelFiles::tensors() const {
    return m_state->contents.tensors;
}

const TensorInfo* ModelFiles::find(const std::string& name) const {
    const auto found = tensors().find(name);
    return found == tensors().end() ? nullptr : &found->second;
}

std::vector<std::string> ModelFiles::files() const {
    std::vector<std::string> paths;
    for (const auto& file : m_state->contents.files) {
        paths.push_back(file.path);
    }
    return paths;
}

std::uint64_t ModelFiles::fileBytes() const {
    std::uint64_t total = 0;
    for (const auto& file : m_state->contents.files) {
        total += file.file->size();
    }
    return total;
}

Result<Buffer> ModelFiles::bytesAt(const TensorInfo& tensor, std::uint64_t offset,
                                   std::uint64_t size) const {
    const auto index = static_cast<std::size_t>(tensor.file);
    const InputFile& file = *m_state->contents.files.at(index).file;
    if (size == 0) {
        return Buffer{};
    }
    if (m_state->access == Access::Read) {
        return file.read(offset, size);
    }
    // A file cut short since it was opened must be an error, not a fault at the first touch.
    std::byte last{};
    PARETO_CHECK(file.readAt(offset + size - 1, std::span(&last, 1)));
    const Buffer& map = m_state->maps.at(index);
    const Buffer part = map.part(offset, size);
    const std::size_t alignment =
        tensor.encoding.block ? alignof(std::uint16_t) : dtypeBytes(tensor.encoding.dtype);
    return isAligned(part.data(), alignment) ? part : Buffer::copyOf(part.bytes());
}

Result<Buffer> ModelFiles::raw(const TensorInfo& tensor) const {
    if (tensor.derived != nullptr) {
        return floats(tensor);
    }
    return bytesAt(tensor, tensor.offset, tensor.bytes);
}

Result<Buffer> ModelFiles::derivedRows(const TensorInfo& tensor, std::int64_t begin,
                                       std::int64_t count) const {
    try {
        return (*tensor.derived)(begin, count);
    } catch (const std::bad_alloc&) {
        return noMemory(tensor, tensor.bytes);
    }
}

Result<Buffer> ModelFiles::floats(const TensorInfo& tensor, const ParallelFor& parallel) const {
    if (tensor.derived != nullptr) {
        return derivedRows(tensor, 0, tensor.shape.rank() == 0 ? 1 : tensor.shape[0]);
    }
    return floatsAt(tensor, tensor.offset, tensor.bytes,
                    static_cast<std::uint64_t>(tensor.shape.elements()), parallel);
}

Result<Buffer> ModelFiles::floatRows(const TensorInfo& tensor, std::int64_t begin,
                                     std::int64_t count, const ParallelFor& parallel) const {
    const std::int64_t rows = tensor.shape.rank() == 0 ? 0 : tensor.shape[0];
    if (begin < 0 || count < 0 || begin > rows || count > rows - begin) {
        return makeError(ErrorCode::TensorShape,
                         {{"file", m_state->path},
                          {"tensor", tensor.name},
                          {"found", tensor.shape.text()},
                          {"expected", "at least " + std::to_string(begin + count) + " rows"}});
    }
    if (count == 0 || tensor.bytes == 0) {
        return Buffer{};
    }
    if (tensor.derived != nullptr) {
        return derivedRows(tensor, begin, count);
    }
    // Blocks never span rows, so a row is a whole number of bytes.
    const auto rowBytes = tensor.bytes / static_cast<std::uint64_t>(rows);
    const auto rowElements = static_cast<std::uint64_t>(tensor.shape.elements() / rows);
    return floatsAt(tensor, tensor.offset + rowBytes * static_cast<std::uint64_t>(begin),
                    rowBytes * static_cast<std::uint64_t>(count),
                    rowElements * static_cast<std::uint64_t>(count), parallel);
}

Result<Buffer> ModelFiles::floatsAt(const TensorInfo& tensor, std::uint64_t offset,
                                    std::uint64_t size, std::uint64_t elements,
                                    const ParallelFor& parallel) const {
    constexpr std::int64_t kGrainElements = 1 << 16;
    const GgmlType* block =
        tensor.encoding.block ? ggmlType(static_cast<std::uint32_t>(tensor.encoding.ggmlType)) : nullptr;
    const auto unitElements = static_cast<std::int64_t>(block != nullptr ? block->blockElements : 1);
    const std::size_t unitBytes = block != nullptr ? block->blockBytes : dtypeBytes(tensor.encoding.dtype);
    try {
        PARETO_TRY(Buffer bytes, bytesAt(tensor, offset, size));
        if (!tensor.encoding.block && tensor.encoding.dtype == DType::F32) {
            return bytes;
        }
        Buffer expanded = Buffer::createLasting(elements * sizeof(float), [&](std::span<std::byte> out) {
            auto* values = reinterpret_cast<float*>(out.data());
            const auto units = static_cast<std::int64_t>(size / unitBytes);
            parallel(units, kGrainElements / unitElements, [&](std::int64_t begin, std::int64_t end) {
                const auto part = bytes.bytes().subspan(static_cast<std::size_t>(begin) * unitBytes,
                                                        static_cast<std::size_t>(end - begin) * unitBytes);
                float* to = values + begin * unitElements;
                if (block != nullptr) {
                    dequantizeBlocks(*block, part, to);
                } else {
                    convertToFloat(tensor.encoding.dtype, part, to);
                }
            });
        });
        bytes.releasePages();  // the file beside its values would count twice
        return expanded;
    } catch (const std::bad_alloc&) {
        return noMemory(tensor, elements * sizeof(float) + size);
    }
}

Result<std::string> ModelFiles::contentHash(Progress& progress, std::stop_token stop) const {
    constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
    progress.begin(Stage::Opening, static_cast<std::int64_t>(fileBytes()), Unit::Bytes);
    Sha256 hash;
    // Lengths before contents: no two different sets of files give the same stream.
    for (const auto& [name, text] : m_state->contents.configTexts) {
        hash.add(name + '\n' + std::to_string(text.size()) + '\n');
        hash.add(text);
    }
    std::vector<std::byte> piece(kPiece);
    for (const auto& file : m_state->contents.files) {
        const auto size = file.file->size();
        hash.add("weights\n" + std::to_string(size) + '\n');
        for (std::uint64_t at = 0; at < size; at += kPiece) {
            if (stop.stop_requested()) {
                return Cancelled{};
            }
            const auto part = std::span(piece).first(std::min(kPiece, size - at));
            PARETO_CHECK(file.file->readAt(at, part));
            hash.add(part);
            progress.advance(static_cast<std::int64_t>(part.size()));
        }
    }
    return hash.hex();
}

}  // namespace pareto::io
