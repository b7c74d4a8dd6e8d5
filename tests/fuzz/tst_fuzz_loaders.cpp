// Deterministic mutations of valid files, 20,000 a loader ($PARETO_FUZZ_COUNT for more): no crash, no hang,
// and an error always names the file. Run under the sanitizers it is the loaders' memory test.

#include <array>
#include <filesystem>
#include <fstream>

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include "engine/io/beir.h"
#include "engine/io/gguf.h"
#include "engine/io/model_files.h"
#include "engine/io/safetensors.h"
#include "engine/io/squad.h"
#include "engine/io/table.h"
#include "engine/io/tagged_text.h"
#include "engine/text/chat_template.h"
#include "engine/text/gguf_tokenizer.h"
#include "engine/text/pipeline_tokenizer.h"
#include "engine/text/sentencepiece_tokenizer.h"
#include "tests/engine/io/fixtures.h"
#include "tests/fuzz/mutate.h"

using namespace pareto;
using namespace pareto::fixtures;
using namespace pareto::fuzz;

namespace {

std::string fileBytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Half of the time the header's length is put right again, or nearly every mutation would end there.
std::string withLengthFixed(std::string bytes, std::size_t dataBytes, RandomStream& random) {
    if (bytes.size() >= 8 + dataBytes && random.below(2) == 0) {
        const auto length = littleEndian<std::uint64_t>(bytes.size() - 8 - dataBytes);
        bytes.replace(0, 8, length);
    }
    return bytes;
}

/// Byte-level BPE or Unigram, with as many steps as fit.
std::string tokenizerJson(RandomStream& random) {
    static constexpr const char* kUnigram =
        R"j({"version":"1.0","added_tokens":[{"id":0,"content":"<unk>","special":true}],
"normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Strip","strip_left":true,"strip_right":true},
{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"\u2581"},{"type":"Prepend","prepend":"\u2581"},
{"type":"Precompiled","precompiled_charsmap":"CAAAAAAEAAAABAAAYQA="}]},
"pre_tokenizer":{"type":"Metaspace","replacement":"\u2581","prepend_scheme":"first","split":true},
"decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"\u2581"},"content":" "},{"type":"ByteFallback"},
{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":1}]},
"model":{"type":"Unigram","unk_id":0,"byte_fallback":true,"vocab":[["<unk>",0.0],["\u2581",-2.0],["a",-3.5],["\u2581a",-1.0],
["<0x62>",-9.0],["aa",-3.0]]}})j";
    if (random.below(2) == 0) {
        return kUnigram;
    }
    return R"j({"version":"1.0","added_tokens":[{"id":0,"content":"[UNK]","special":true,"normalized":false},
{"id":1,"content":"<x>","special":false,"normalized":true,"lstrip":true,"rstrip":true,"single_word":true}],
"normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"BertNormalizer","lowercase":true}]},
"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},
{"type":"Split","pattern":{"Regex":" ?\\p{L}+|\\s+(?!\\S)"},"behavior":"Isolated","invert":false},
{"type":"ByteLevel","add_prefix_space":true,"use_regex":true}]},
"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[UNK]","type_id":0}},
{"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],
"special_tokens":{"[UNK]":{"id":"[UNK]","ids":[0],"tokens":["[UNK]"]}}},"decoder":{"type":"ByteLevel"},
"model":{"type":"BPE","unk_token":"[UNK]","fuse_unk":true,"vocab":{"[UNK]":0,"a":2,"b":3,"ab":4,"Ġ":5,"Ġa":6},
"merges":["a b",["Ġ","a"]]}})j";
}

}  // namespace

class TestFuzzLoaders : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void safetensorsHeaders();
    void ggufFiles();
    void folders();
    void tokenizers();
    void sentencePieceModels();
    void chatTemplates();
    void tables();
    void dataSets();

private:
    std::string path(const char* name) const {
        return m_folder.filePath(QString::fromLatin1(name)).toStdString();
    }
    QTemporaryDir m_folder;
};

void TestFuzzLoaders::safetensorsHeaders() {
    RandomStream random(1, "safetensors");
    const auto file = path("m.safetensors");
    int accepted = 0;
    for (int i = 0; i < fuzzCount(); ++i) {
        overwrite(file, withLengthFixed(mutated(validSafetensors(), random), 24, random));
        QElapsedTimer timer;
        timer.start();
        const auto header = io::readSafetensorsHeader(*InputFile::open(file).value());
        checkFailure(header);
        accepted += header.ok() ? 1 : 0;
        QVERIFY2(timer.elapsed() < kLimitMs, std::to_string(i).c_str());
    }
    QVERIFY2(accepted > 0, "no mutation was valid: the mutator destroys too much to reach deep code");
}

void TestFuzzLoaders::ggufFiles() {
    RandomStream random(2, "gguf");
    const auto seed = validGguf().bytes();
    const auto file = path("m.gguf");
    int accepted = 0;
    for (int i = 0; i < fuzzCount(); ++i) {
        overwrite(file, mutated(seed, random));
        QElapsedTimer timer;
        timer.start();
        const auto model = io::ModelFiles::open(file, i % 2 == 0 ? io::Access::Map : io::Access::Read);
        checkFailure(model);
        if (model.ok()) {
            ++accepted;
            for (const auto& [name, tensor] : model.value()->tensors()) {
                checkFailure(model.value()->floats(tensor));
            }
            checkFailure(text::ggufTokenizer(model.value()->gguf(), file));
        }
        QVERIFY2(timer.elapsed() < kLimitMs, std::to_string(i).c_str());
    }
    QVERIFY(accepted > 0);
}

void TestFuzzLoaders::folders() {
    RandomStream random(3, "folders");
    const std::vector<std::pair<std::string, std::string>> seeds{
        {"config.json", R"({"hidden_size":8,"num_hidden_layers":2,"id2label":{"0":"a","1":"b"},"vocab_size":9})"},
        {"model.safetensors.index.json",
         R"({"metadata":{"total_size":24},"weight_map":{"a":"m-1.safetensors","b":"m-1.safetensors"}})"},
        {"modules.json",
         R"([{"path":"","type":"x.Transformer"},{"path":"1_P","type":"x.Pooling"},{"path":"1_P","type":"x.Normalize"}])"},
        {"m-1.safetensors", validSafetensors()},
        {"1_P/config.json", R"({"pooling_mode_mean_tokens":true})"}};
    std::filesystem::create_directory(path("1_P"));
    for (const auto& [name, content] : seeds) {
        overwrite(path(name.c_str()), content);
    }
    QVERIFY(io::ModelFiles::open(m_folder.path().toStdString()).ok());
    // Two files are written and five read a round: a quarter of the rounds keeps the time equal.
    for (int i = 0; i < fuzzCount() / 4; ++i) {
        const auto& [name, content] = seeds[random.below(seeds.size())];
        overwrite(path(name.c_str()), mutated(content, random));
        QElapsedTimer timer;
        timer.start();
        const auto model = io::ModelFiles::open(m_folder.path().toStdString(), io::Access::Read);
        checkFailure(model);
        QVERIFY2(timer.elapsed() < kLimitMs, std::to_string(i).c_str());
        overwrite(path(name.c_str()), content);
    }
}

void TestFuzzLoaders::tokenizers() {
    RandomStream random(4, "tokenizers");
    int accepted = 0;
    for (int i = 0; i < fuzzCount(); ++i) {
        const auto json = mutated(tokenizerJson(random), random);
        QElapsedTimer timer;
        timer.start();
        const auto tokenizer = text::PipelineTokenizer::read(json, "t.json", {});
        checkFailure(tokenizer);
        if (tokenizer.ok()) {
            ++accepted;
            const auto tokens = tokenizer.value()->encodePair(
                " ab\xFF <x> a1b2 \xE4\xB8\xAD", mutated("aaaaaaaaaaaaaaaaaaaaaaaa!", random),
                {true, static_cast<std::int64_t>(random.below(12))});
            QCOMPARE(tokens.ids.size(), tokens.offsets.size());
            QCOMPARE(tokens.ids.size(), tokens.typeIds.size());
            tokenizer.value()->decode(tokens.ids, i % 2 == 0);
        }
        QVERIFY2(timer.elapsed() < 4 * kLimitMs, std::to_string(i).c_str());
    }
    QVERIFY(accepted > 0);
}

void TestFuzzLoaders::sentencePieceModels() {
    RandomStream random(6, "sentencepiece");
    const std::string seed = fileBytes(PARETO_SOURCE_DIR "/tests/golden/text/spm/llama/tokenizer.model").substr(0, 600);
    int accepted = 0;
    for (int i = 0; i < fuzzCount(); ++i) {
        const auto bytes = mutated(seed, random);
        QElapsedTimer timer;
        timer.start();
        const auto model = text::readSentencePieceModel(bytes, "m.model");
        checkFailure(model);
        if (model.ok()) {
            ++accepted;
            text::SentencePieceSettings settings;
            settings.family = static_cast<text::SentencePieceFamily>(random.below(5));
            settings.extraIds = 3;
            const auto made = text::sentencePieceTokenizerJson(model.value(), settings, "m.model");
            checkFailure(made);
            if (made.ok()) {
                const auto tokenizer = text::PipelineTokenizer::read(made->json, "m.model", {});
                checkFailure(tokenizer);
                if (tokenizer.ok()) {
                    const auto ids = tokenizer.value()->encode("the <s> ab\xFF \xE4\xB8\xAD  x").ids;
                    tokenizer.value()->decode(ids);
                }
            }
        }
        QVERIFY2(timer.elapsed() < kLimitMs, std::to_string(i).c_str());
    }
    QVERIFY(accepted > 0);
}

void TestFuzzLoaders::chatTemplates() {
    RandomStream random(7, "chat");
    std::vector<std::string> seeds;
    for (const auto& entry : std::filesystem::directory_iterator(PARETO_SOURCE_DIR "/tests/golden/text/chat")) {
        seeds.push_back(fileBytes(entry.path().string()));
    }
    std::sort(seeds.begin(), seeds.end());
    const auto messages = nlohmann::ordered_json::parse(
        R"([{"role":"system","content":"s"},{"role":"user","content":"Hi"},{"role":"assistant","content":"x"}])");
    int accepted = 0;
    for (int i = 0; i < fuzzCount(); ++i) {
        QElapsedTimer timer;
        timer.start();
        const auto made = text::ChatTemplate::parse(mutated(seeds[random.below(seeds.size())], random), "t.jinja");
        checkFailure(made);
        if (made.ok()) {
            const auto out = made.value()->apply(messages, {});
            checkFailure(out);
            accepted += out.ok() ? 1 : 0;
        }
        QVERIFY2(timer.elapsed() < 4 * kLimitMs, std::to_string(i).c_str());
    }
    QVERIFY(accepted > 0);
}

void TestFuzzLoaders::tables() {
    RandomStream random(5, "tables");
    const std::string csv = "text,label\r\n\"a \"\"b\"\"\nc\",0\nplain,1\n,\n";
    const std::string jsonl = "{\"text\":\"a\",\"label\":1}\n{\"label\":[2],\"x\":null}\n";
    for (int i = 0; i < fuzzCount(); ++i) {
        const bool lines = i % 2 == 0;
        overwrite(path("d"), mutated(lines ? jsonl : csv, random));
        const auto table = io::readTable(
            path("d"), {lines ? io::TableFormat::Jsonl : io::TableFormat::Csv, random.below(2) == 0 ? 2 : 0});
        checkFailure(table);
        if (table.ok()) {
            for (const auto& row : table->rows) {
                QCOMPARE(row.cells.size(), table->columns.size());
            }
        }
    }
}

void TestFuzzLoaders::dataSets() {
    RandomStream random(6, "data sets");
    const std::string squad =
        "{\"version\":\"2\",\"data\":[{\"title\":\"t\",\"paragraphs\":[{\"qas\":[{\"id\":\"a\",\"question\":\"b\","
        "\"answers\":[{\"text\":\"c\",\"answer_start\":0}],\"is_impossible\":false}],\"context\":\"c d\"}]}]}";
    const std::string corpus = "{\"_id\":\"1\",\"title\":\"a\",\"text\":\"b\"}\n{\"_id\":2,\"text\":\"\"}\n";
    const std::string qrels = "query-id\tcorpus-id\tscore\nq\td\t1\nq\te\t-2\n";
    const std::string tagged = "# id\nEU NNP B-ORG\nsays VB O\n\n-DOCSTART- -X- O\n. . O\n";
    const std::array seeds{squad, corpus, qrels, tagged};
    int accepted = 0;
    for (int i = 0; i < fuzzCount(); ++i) {
        Progress progress;
        const auto file = path("set");
        overwrite(file, mutated(seeds[static_cast<std::size_t>(i % 4)], random));
        QElapsedTimer timer;
        timer.start();
        Status status = Done{};
        switch (i % 4) {
            case 0: {
                const auto data = io::readSquad(file, progress, {});
                checkFailure(data);
                for (const auto& question : data.ok() ? data->questions : std::vector<io::SquadQuestion>{}) {
                    QVERIFY(question.context < data->contexts.size());
                }
                accepted += data.ok() ? 1 : 0;
                break;
            }
            case 1:
                status = io::readBeirTexts(
                    file, [](const io::BeirText&) -> Status { return Done{}; }, progress, {});
                break;
            case 2: checkFailure(io::readBeirQrels(file, progress, {})); break;
            default:
                status = io::readTaggedText(
                    file,
                    [](const io::TaggedSentence& sentence) -> Status {
                        return sentence.words.size() == sentence.tags.size()
                                   ? Status(Done{})
                                   : Status(makeError(ErrorCode::EngineFailure));
                    },
                    progress, {});
        }
        checkFailure(status);
        QVERIFY2(timer.elapsed() < kLimitMs, std::to_string(i).c_str());
    }
    QVERIFY(accepted > 0);
}

QTEST_GUILESS_MAIN(TestFuzzLoaders)
#include "tst_fuzz_loaders.moc"
