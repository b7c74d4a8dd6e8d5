#include "engine/io/torch_file.h"

#include <algorithm>
#include <array>

#include "engine/io/pickle.h"
#include "engine/io/utf8.h"
#include "engine/io/zip_archive.h"

namespace pareto::io {
namespace {

using Kind = PickleValue::Kind;

constexpr std::uint64_t kMaxPickleBytes = std::uint64_t{64} << 20;
constexpr std::size_t kMaxEntries = std::size_t{1} << 18;
constexpr int kMaxDepth = 8;
constexpr std::size_t kMaxTensorNameBytes = 1024;

/// The first pickle of a file before torch 1.6: MAGIC_NUMBER of torch/serialization.py, protocol 2.
constexpr std::array<unsigned char, 15> kMagic{0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46,
                                               0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E};
constexpr std::int64_t kLegacyProtocol = 1001;

Error corrupt(const InputFile& file, std::uint64_t offset, std::string reason) {
    return makeError(
        ErrorCode::FileCorrupt,
        {{"file", file.path()}, {"offset", std::to_string(offset)}, {"reason", std::move(reason)}});
}
Error unknownFormat(const InputFile& file, std::string reason) {
    return makeError(ErrorCode::FileFormatUnknown,
                     {{"file", file.path()}, {"reason", std::move(reason)}});
}

/// Finds the tensors of a pickle and their names.
class StateDict {
public:
    StateDict(const InputFile& file, const Pickle& pickle) : m_file(file), m_pickle(pickle) {}

    Result<TorchHeader> run() {
        if (!m_pickle.root->is(Kind::Dict)) {
            return unknownFormat(m_file, "its pickle holds something else than a state dict");
        }
        PARETO_CHECK(collect(choose(), "", 0));
        if (m_out.tensors.empty()) {
            return unknownFormat(m_file, "its pickle holds no tensors");
        }
        std::sort(m_out.tensors.begin(), m_out.tensors.end(),
                  [](const TensorInfo& a, const TensorInfo& b) { return a.name < b.name; });
        for (std::size_t i = 1; i < m_out.tensors.size(); ++i) {
            if (m_out.tensors[i].name == m_out.tensors[i - 1].name) {
                return corrupt(m_file, 0, "the tensor " + m_out.tensors[i].name + " stands twice");
            }
        }
        return std::move(m_out);
    }
    /// The storage of each tensor of the header, in its order before sorting: offsets are relative to it.
    const std::map<std::string, std::string>& storages() const { return m_storages; }

private:
    static bool holdsTensor(const PickleValue& dict) {
        for (std::size_t i = 1; i < dict.items.size(); i += 2) {
            if (dict.items[i]->is(Kind::Tensor)) {
                return true;
            }
        }
        return false;
    }

    /// The dictionary that is the model, and a notice when there is more beside it.
    const PickleValue& choose() {
        const auto* chosen = m_pickle.root;
        std::string path;
        for (int depth = 0; depth < kMaxDepth && !holdsTensor(*chosen); ++depth) {
            const PickleValue* inner = nullptr;
            for (const char* key :
                 {"state_dict", "model_state_dict", "model", "module", "net", "params"}) {
                inner = chosen->find(key);
                if (inner != nullptr && inner->is(Kind::Dict) && !inner->items.empty()) {
                    path += (path.empty() ? "" : ".") + std::string(key);
                    break;
                }
                inner = nullptr;
            }
            if (inner == nullptr) {
                break;
            }
            if (chosen->items.size() > 2) {
                m_leftOut = true;
            }
            chosen = inner;
        }
        if (m_leftOut) {
            m_out.notices.push_back("Of the checkpoint only \"" + path +
                                    "\" was taken; what else it holds was left out.");
        }
        return *chosen;
    }

    Status collect(const PickleValue& dict, const std::string& prefix, int depth) {
        if (depth > kMaxDepth) {
            return corrupt(
                m_file, 0,
                "its dictionaries are nested more than " + std::to_string(kMaxDepth) + " deep");
        }
        for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
            if (++m_visited > kMaxEntries) {
                return corrupt(m_file, 0, "its dictionaries hold more entries than any model");
            }
            const auto& key = *dict.items[i];
            const auto& value = *dict.items[i + 1];
            if (!value.is(Kind::Tensor) && !value.is(Kind::Dict)) {
                continue;  // epochs, names, hyperparameters
            }
            if (!key.is(Kind::Text) && !key.is(Kind::Int)) {
                return corrupt(m_file, 0,
                               "a tensor stands under a key that is neither text nor number");
            }
            const auto name = prefix + (key.is(Kind::Text) ? key.text : std::to_string(key.number));
            if (name.size() > kMaxTensorNameBytes || !isUtf8(name)) {
                return corrupt(m_file, 0,
                               "the name of a tensor is longer than " +
                                   std::to_string(kMaxTensorNameBytes) + " bytes or not UTF-8");
            }
            PARETO_CHECK(value.is(Kind::Dict)
                             ? collect(value, name + ".", depth + 1)
                             : add(name, m_pickle.tensors[static_cast<std::size_t>(value.number)]));
        }
        return Done{};
    }

    Status add(const std::string& name, const PickledTensor& pickled) {
        TensorInfo tensor;
        tensor.name = name;
        tensor.shape = Shape(pickled.sizes);
        tensor.encoding.dtype = pickled.dtype;
        tensor.typeName = std::string(dtypeName(pickled.dtype));
        const auto elementBytes = dtypeBytes(pickled.dtype);
        tensor.bytes = static_cast<std::uint64_t>(tensor.shape.elements()) * elementBytes;
        tensor.offset = pickled.offset * elementBytes;
        if (tensor.bytes != 0 && !isRowMajor(pickled)) {
            return makeError(
                ErrorCode::TensorType,
                {{"file", m_file.path()},
                 {"tensor", name},
                 {"found", tensor.typeName + " with strides " + Shape(pickled.strides).text()},
                 {"reason",
                  "its values do not lie one after the other; save it after "
                  ".contiguous()"}});
        }
        m_storages[name] = pickled.storage;
        m_out.tensors.push_back(std::move(tensor));
        return Done{};
    }
    static bool isRowMajor(const PickledTensor& tensor) {
        std::int64_t expected = 1;
        for (std::size_t i = tensor.sizes.size(); i-- > 0;) {
            if (tensor.sizes[i] != 1 && tensor.strides[i] != expected) {
                return false;
            }
            expected *= tensor.sizes[i];
        }
        return true;
    }

    const InputFile& m_file;
    const Pickle& m_pickle;
    TorchHeader m_out;
    std::map<std::string, std::string> m_storages;  ///< by tensor
    std::size_t m_visited = 0;
    bool m_leftOut = false;
};

/// Puts tensors to where their storages begin in the file.
Result<TorchHeader> placed(const InputFile& file, const Pickle& pickle,
                           const std::map<std::string, std::uint64_t>& storagesAt) {
    StateDict reader(file, pickle);
    PARETO_TRY(auto header, reader.run());
    for (auto& tensor : header.tensors) {
        tensor.offset += storagesAt.at(reader.storages().at(tensor.name));
    }
    return header;
}

class ZipReader {
public:
    explicit ZipReader(const InputFile& file) : m_file(file) {}

    Result<TorchHeader> run() {
        PARETO_TRY(const auto entries, readZipDirectory(m_file));
        for (const auto& entry : entries) {
            m_entries[entry.name] = &entry;
        }
        PARETO_CHECK(findPickle());
        PARETO_CHECK(checkByteOrder());
        const auto& data = *m_entries.at(m_folder + "data.pkl");
        PARETO_CHECK(readStoredEntry(m_file, data, kMaxPickleBytes));
        FileCursor cursor(m_file, data.offset, data.offset + data.size);
        PARETO_TRY(const auto pickle, readPickle(cursor));
        std::map<std::string, std::uint64_t> storagesAt;
        for (const auto& [key, storage] : pickle.storages) {
            PARETO_TRY(storagesAt[key], placeOf(key, storage));
        }
        return placed(m_file, pickle, storagesAt);
    }

private:
    /// data.pkl lies in the archive's one folder; code or constants beside it make it a program.
    Status findPickle() {
        for (const auto& [name, entry] : m_entries) {
            const auto slash = name.find('/');
            if (slash == std::string::npos) {
                continue;
            }
            const auto rest = std::string_view(name).substr(slash + 1);
            if (rest == "constants.pkl" || rest.starts_with("code/")) {
                return makeError(
                    ErrorCode::FileUnsafe,
                    {{"file", m_file.path()},
                     {"reason", "it is a TorchScript program (" + name + "). " + pickleAdvice()}});
            }
            if (rest == "data.pkl") {
                if (!m_folder.empty()) {
                    return corrupt(m_file, entry->offset, "it holds two files data.pkl");
                }
                m_folder = name.substr(0, slash + 1);
            }
        }
        return m_folder.empty() ? Status(pickleRefusal(m_file.path(), Content::Zip))
                                : Status(Done{});
    }

    Status checkByteOrder() const {
        const auto found = m_entries.find(m_folder + "byteorder");
        if (found == m_entries.end()) {
            return Done{};  // before torch 2.1
        }
        PARETO_TRY(const Buffer order, readStoredEntry(m_file, *found->second, 64));
        const std::string_view text(reinterpret_cast<const char*>(order.data()), order.size());
        return text == "little"
                   ? Status(Done{})
                   : unknownFormat(m_file, "its numbers are not in little-endian order");
    }

    Result<std::uint64_t> placeOf(const std::string& key, const PickledStorage& storage) const {
        const auto found = m_entries.find(m_folder + "data/" + key);
        if (found == m_entries.end()) {
            return corrupt(m_file, m_entries.at(m_folder + "data.pkl")->offset,
                           "the data of storage " + replaceInvalidUtf8(key) + " is missing");
        }
        const auto& entry = *found->second;
        if (entry.method != 0) {
            return unknownFormat(m_file, "its entry " + entry.name + " is compressed");
        }
        if (entry.size < storage.bytes) {
            return corrupt(m_file, entry.offset,
                           "the entry " + entry.name + " has " + std::to_string(entry.size) +
                               " bytes, " + std::to_string(storage.bytes) + " are needed");
        }
        return entry.offset;
    }

    const InputFile& m_file;
    std::map<std::string, const ZipEntry*> m_entries;
    std::string m_folder;  ///< "archive/"
};

/// Magic number, protocol, the writer's machine, the state dict, the keys of its storages; then each
/// storage: i64 number of elements and its bytes.
class LegacyReader {
public:
    explicit LegacyReader(const InputFile& file)
        : m_file(file), m_cursor(file, kMagic.size(), file.size()) {}

    Result<TorchHeader> run() {
        PARETO_CHECK(checkMachine());
        PARETO_TRY(const auto pickle, readPickle(m_cursor));
        PARETO_TRY(const auto keys, readPickle(m_cursor));
        if (!keys.root->is(Kind::List)) {
            return corrupt(m_file, m_cursor.offset(), "the list of its storages is missing");
        }
        std::map<std::string, std::uint64_t> storagesAt;
        std::uint64_t at = m_cursor.offset();
        for (const auto* key : keys.root->items) {
            PARETO_TRY(const auto bytes, storageBytes(*key, pickle, at));
            storagesAt[key->text] = at + sizeof(std::int64_t);
            at += sizeof(std::int64_t) + bytes;
        }
        if (at != m_file.size()) {
            return corrupt(m_file, at,
                           std::to_string(m_file.size() - at) + " bytes follow the last storage");
        }
        if (storagesAt.size() != keys.root->items.size() ||
            storagesAt.size() != pickle.storages.size()) {
            return corrupt(m_file, m_cursor.offset(), "the list of its storages is not complete");
        }
        return placed(m_file, pickle, storagesAt);
    }

private:
    Status checkMachine() {
        PARETO_TRY(const auto protocol, readPickle(m_cursor));
        if (!protocol.root->is(Kind::Int) || protocol.root->number != kLegacyProtocol) {
            return unknownFormat(m_file, "it is of an unknown version of PyTorch's format");
        }
        PARETO_TRY(const auto machine, readPickle(m_cursor));
        const auto* little = machine.root->find("little_endian");
        if (little == nullptr || !little->is(Kind::Bool) || little->number != 1) {
            return unknownFormat(m_file, "its numbers are not in little-endian order");
        }
        return Done{};
    }

    /// Bytes of the storage whose number of elements stands at `at`; all of it is inside the file.
    Result<std::uint64_t> storageBytes(const PickleValue& key, const Pickle& pickle,
                                       std::uint64_t at) const {
        const auto found =
            key.is(Kind::Text) ? pickle.storages.find(key.text) : pickle.storages.end();
        if (found == pickle.storages.end()) {
            return corrupt(m_file, at, "a storage is listed that no tensor uses");
        }
        const auto& storage = found->second;
        std::int64_t elements = 0;
        PARETO_CHECK(m_file.readAt(at, std::as_writable_bytes(std::span(&elements, 1))));
        if (elements < 0 ||
            static_cast<std::uint64_t>(elements) != storage.bytes / dtypeBytes(storage.dtype)) {
            return corrupt(m_file, at,
                           "a storage has " + std::to_string(elements) + " elements instead of " +
                               std::to_string(storage.bytes / dtypeBytes(storage.dtype)));
        }
        if (storage.bytes > m_file.size() - at - sizeof elements) {
            return makeError(ErrorCode::FileTruncated,
                             {{"file", m_file.path()},
                              {"expected", std::to_string(at + sizeof elements + storage.bytes)},
                              {"found", std::to_string(m_file.size())}},
                             "storage " + key.text);
        }
        return storage.bytes;
    }

    const InputFile& m_file;
    FileCursor m_cursor;
};

/// No torch.save wrote it. If it asks for something to be run, say for what.
Error foreignPickle(const InputFile& file) {
    FileCursor cursor(file);
    const auto pickle = readPickle(cursor);
    const bool named = !pickle.ok() && pickle.error().code == ErrorCode::FileUnsafe;
    return named ? pickle.error() : pickleRefusal(file.path(), Content::Pickle);
}

}  // namespace

Result<TorchHeader> readTorchFile(const InputFile& file, Content content) {
    if (content == Content::Zip) {
        return ZipReader(file).run();
    }
    std::array<unsigned char, kMagic.size()> head{};
    if (file.size() >= head.size()) {
        PARETO_CHECK(file.readAt(0, std::as_writable_bytes(std::span(head))));
    }
    return head == kMagic ? LegacyReader(file).run() : Result<TorchHeader>(foreignPickle(file));
}

}  // namespace pareto::io
