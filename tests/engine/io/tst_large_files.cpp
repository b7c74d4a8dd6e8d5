// Headers of models of seven thousand million parameters open at once, without a look at the weights: the
// files are as large as real ones, with holes where the weights would be.

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include "engine/io/model_files.h"
#include "engine/layout/describe.h"
#include "tests/engine/io/torch_fixtures.h"

using namespace pareto;
using namespace pareto::fixtures;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kVocabulary = 32000;
constexpr std::uint64_t kHidden = 4096;
constexpr std::uint64_t kNeurons = 11008;
constexpr int kBlocks = 32;

struct Sized {
    std::string name;
    std::vector<std::uint64_t> shape;  ///< outermost first
    std::uint64_t bytes() const {      ///< in fp16
        std::uint64_t out = 2;
        for (const auto size : shape) {
            out *= size;
        }
        return out;
    }
};

/// Llama-2-7B by the names of transformers or of llama.cpp.
std::vector<Sized> tensors(bool gguf) {
    const auto pick = [&](const char* theirs, const char* ours) {
        return std::string(gguf ? ours : theirs);
    };
    std::vector<Sized> out{
        {pick("model.embed_tokens.weight", "token_embd.weight"), {kVocabulary, kHidden}},
        {pick("model.norm.weight", "output_norm.weight"), {kHidden}},
        {pick("lm_head.weight", "output.weight"), {kVocabulary, kHidden}}};
    for (int block = 0; block < kBlocks; ++block) {
        const auto add = [&](const char* theirs, const char* ours,
                             std::vector<std::uint64_t> shape) {
            const auto number = std::to_string(block);
            out.push_back({gguf ? "blk." + number + "." + ours + ".weight"
                                : "model.layers." + number + "." + theirs + ".weight",
                           std::move(shape)});
        };
        add("self_attn.q_proj", "attn_q", {kHidden, kHidden});
        add("self_attn.k_proj", "attn_k", {kHidden, kHidden});
        add("self_attn.v_proj", "attn_v", {kHidden, kHidden});
        add("self_attn.o_proj", "attn_output", {kHidden, kHidden});
        add("mlp.gate_proj", "ffn_gate", {kNeurons, kHidden});
        add("mlp.up_proj", "ffn_up", {kNeurons, kHidden});
        add("mlp.down_proj", "ffn_down", {kHidden, kNeurons});
        add("input_layernorm", "attn_norm", {kHidden});
        add("post_attention_layernorm", "ffn_norm", {kHidden});
    }
    return out;
}

std::string config() {
    return R"({"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":4096,)"
           R"("intermediate_size":11008,"num_attention_heads":32,"num_key_value_heads":32,)"
           R"("num_hidden_layers":32,"vocab_size":32000,"max_position_embeddings":4096,"rms_norm_eps":1e-5,)"
           R"("rope_theta":10000.0,"hidden_act":"silu","tie_word_embeddings":false})";
}

/// False where the file system has no room for files with holes of this size.
bool writeWithHole(const std::string& path, const std::string& head, std::uint64_t size) {
    writeBytes(path, head);
    return ::truncate(path.c_str(), static_cast<off_t>(size)) == 0;
}

/// Bytes this process has asked to read.
std::uint64_t bytesRead() {
    std::ifstream io("/proc/self/io");
    std::string key;
    std::uint64_t value = 0;
    io >> key >> value;
    return key == "rchar:" ? value : 0;
}

}  // namespace

class TestLargeFiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void gguf();
    void shardedSafetensors();
    void torchFile();

private:
    /// Opens and describes within a second; what was read is no more than `header` bytes and a little.
    static void opensAtOnce(const std::string& path, std::uint64_t header) {
        for (const auto access : {io::Access::Read, io::Access::Map}) {
            const auto before = bytesRead();
            QElapsedTimer timer;
            timer.start();
            const auto files = io::ModelFiles::open(path, access);
            QVERIFY2(files.ok(), describe(files).c_str());
            const auto layout = describeModel(*files.value());
            QVERIFY2(layout.ok(), describe(layout).c_str());
            const auto elapsed = timer.elapsed();
            QVERIFY2(elapsed < 1000, std::to_string(elapsed).c_str());
            const auto read = bytesRead() - before;
            QVERIFY2(read < 3 * header + (1U << 20), std::to_string(read).c_str());
            QVERIFY(layout->parameters() > 6'700'000'000);
            QVERIFY(files.value()->fileBytes() > 13'000'000'000);
            qInfo("%lld ms, %llu bytes read", static_cast<long long>(elapsed),
                  static_cast<unsigned long long>(read));
        }
    }
    QTemporaryDir m_folder;
};

void TestLargeFiles::gguf() {
    const auto list = tensors(true);
    GgufWriter file(list.size(), 13);
    file.text("general.architecture").u32(8).text("llama");
    for (const auto& [key, value] :
         {std::pair{"context_length", 4096U}, std::pair{"embedding_length", 4096U},
          std::pair{"block_count", 32U}, std::pair{"feed_forward_length", 11008U},
          std::pair{"attention.head_count", 32U}, std::pair{"attention.head_count_kv", 32U},
          std::pair{"rope.dimension_count", 128U}, std::pair{"vocab_size", 32000U}}) {
        file.number(std::string("llama.") + key, value);
    }
    file.text("llama.attention.layer_norm_rms_epsilon")
        .u32(6)
        .u32(std::bit_cast<std::uint32_t>(1e-5F));
    std::vector<std::string> words;
    std::vector<std::string> merges;
    for (std::uint64_t i = 0; i < kVocabulary; ++i) {
        words.push_back("word" + std::to_string(i));
        merges.push_back("word" + std::to_string(i) + " x");
        merges.push_back("x word" + std::to_string(i));
    }
    file.words("tokenizer.ggml.tokens", words).words("tokenizer.ggml.merges", merges);
    file.text("tokenizer.ggml.token_type").u32(9).u32(5).u64(kVocabulary);
    for (std::uint64_t i = 0; i < kVocabulary; ++i) {
        file.u32(1);
    }
    std::uint64_t offset = 0;
    for (const auto& tensor : list) {
        file.tensor(tensor.name, {tensor.shape.rbegin(), tensor.shape.rend()}, 1, offset);
        offset += (tensor.bytes() + 31) / 32 * 32;
    }
    file.data(0);
    const auto path = m_folder.filePath(QStringLiteral("m.gguf")).toStdString();
    if (!writeWithHole(path, file.bytes(), file.bytes().size() + offset)) {
        QSKIP("the file system does not take files of 14 GB with holes");
    }
    opensAtOnce(path, file.bytes().size());
    fs::remove(path);
}

void TestLargeFiles::shardedSafetensors() {
    const auto list = tensors(false);
    const auto folder = m_folder.filePath(QStringLiteral("shards")).toStdString();
    fs::create_directory(folder);
    writeBytes(folder + "/config.json", config());
    constexpr std::size_t kShards = 3;
    Json map = Json::object();
    std::uint64_t headers = 0;
    for (std::size_t shard = 0; shard < kShards; ++shard) {
        const auto name = "model-0000" + std::to_string(shard + 1) + "-of-00003.safetensors";
        Json header = Json::object();
        std::uint64_t offset = 0;
        for (std::size_t i = shard; i < list.size(); i += kShards) {
            header[list[i].name] = {{"dtype", "F16"},
                                    {"shape", list[i].shape},
                                    {"data_offsets", {offset, offset + list[i].bytes()}}};
            offset += list[i].bytes();
            map[list[i].name] = name;
        }
        const auto text = header.dump();
        headers += text.size();
        if (!writeWithHole(folder + "/" + name, littleEndian<std::uint64_t>(text.size()) + text,
                           8 + text.size() + offset)) {
            QSKIP("the file system does not take files of 5 GB with holes");
        }
    }
    writeBytes(folder + "/model.safetensors.index.json", Json{{"weight_map", map}}.dump());
    opensAtOnce(folder, headers);
    fs::remove_all(folder);
}

void TestLargeFiles::torchFile() {
    const auto list = tensors(false);
    const auto folder = m_folder.filePath(QStringLiteral("torch")).toStdString();
    fs::create_directory(folder);
    writeBytes(folder + "/config.json", config());
    LegacyTorch file;
    file.state = "\x80\x02}";
    file.keys = "\x80\x02](";
    for (std::size_t i = 0; i < list.size(); ++i) {
        PickledParts parts;
        parts.storageType = pickleGlobal("torch", "HalfStorage");
        parts.key = pickleText(std::to_string(i));
        parts.elements = pickleLong(static_cast<std::int64_t>(list[i].bytes() / 2));
        std::vector<std::string> sizes;
        std::vector<std::string> strides;
        for (std::size_t axis = 0; axis < list[i].shape.size(); ++axis) {
            sizes.push_back(pickleInt(static_cast<std::int32_t>(list[i].shape[axis])));
            strides.push_back(pickleInt(axis + 1 == list[i].shape.size()
                                            ? 1
                                            : static_cast<std::int32_t>(list[i].shape[1])));
        }
        parts.sizes = pickleTuple(sizes);
        parts.strides = pickleTuple(strides);
        file.state += pickleText(list[i].name) + parts.bytes() + "s";
        file.keys += parts.key;
    }
    file.state += ".";
    file.keys += "e.";
    file.storages.clear();
    const auto path = folder + "/pytorch_model.bin";
    const auto head = file.bytes();
    std::uint64_t end = head.size();
    for (const auto& tensor : list) {
        end += 8 + tensor.bytes();
    }
    if (!writeWithHole(path, head, end)) {
        QSKIP("the file system does not take files of 14 GB with holes");
    }
    std::fstream counts(path, std::ios::binary | std::ios::in | std::ios::out);
    std::uint64_t at = head.size();
    for (const auto& tensor : list) {
        const auto count = littleEndian<std::uint64_t>(tensor.bytes() / 2);
        counts.seekp(static_cast<std::streamoff>(at));
        counts.write(count.data(), 8);
        at += 8 + tensor.bytes();
    }
    counts.close();
    opensAtOnce(folder, head.size() + 600'000);
    fs::remove_all(folder);
}

QTEST_GUILESS_MAIN(TestLargeFiles)
#include "tst_large_files.moc"
