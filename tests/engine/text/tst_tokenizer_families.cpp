#include "engine/text/tokenizer.h"

#include <bit>
#include <filesystem>
#include <limits>

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include "engine/spec/task.h"
#include "engine/text/gguf_tokenizer.h"
#include "engine/text/pipeline_tokenizer.h"
#include "engine/text/regex.h"
#include "engine/text/sentencepiece_model.h"
#include "engine/text/split_patterns.h"
#include "tests/engine/io/fixtures.h"
#include "tests/engine/text/corpus.h"

using namespace pareto;
using namespace pareto::fixtures;

namespace {

using Loaded = Result<std::shared_ptr<const text::Tokenizer>>;
using Ids = std::vector<std::int32_t>;

const std::string kGolden = PARETO_SOURCE_DIR "/tests/golden/text/";
constexpr int kBlock = 10;

Json golden(const char* name) { return readJsonFile(kGolden + name).value(); }

std::string varint(std::size_t value) {
    std::string out;
    for (; out.empty() || value > 0; value >>= 7) {
        out += static_cast<char>((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
    }
    return out;
}
/// A field of a protocol buffer: a length and bytes, or a number.
std::string field(std::size_t number, const std::string& bytes) {
    return varint(number << 3 | 2) + varint(bytes.size()) + bytes;
}
std::string number(std::size_t field, std::size_t value) { return varint(field << 3) + varint(value); }
std::string piece(const std::string& text, float score, std::size_t type = 1) {
    return field(1, field(1, text) + '\x15' + littleEndian<std::uint32_t>(std::bit_cast<std::uint32_t>(score)) +
                        number(3, type));
}
/// Unigram: <unk> <s> </s> ▁ a b ▁ab c
std::string smallModel() {
    return piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece("▁", -2) + piece("a", -3) +
           piece("b", -3) + piece("▁ab", -1) + piece("c", -4);
}

}  // namespace

class TestTokenizerFamilies : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void tenThousandTexts_data();
    void tenThousandTexts();
    void windows();
    void windowsWithoutRoom();
    void streamIsWhole_data();
    void streamIsWhole();
    void patternsAreThoseOfTheEngine_data();
    void patternsAreThoseOfTheEngine();
    void normalForms();
    void marian();
    void marianTargets();
    void marianYaml();
    void byteLevelFiles();
    void ggufKinds();
    void malformedModels_data();
    void malformedModels();

private:
    Loaded folder(const char* tokenizerClass, const std::vector<std::pair<std::string, std::string>>& files);
    static Loaded load(const std::string& name);
    std::unique_ptr<QTemporaryDir> m_folder;
};

void TestTokenizerFamilies::init() { m_folder = std::make_unique<QTemporaryDir>(); }

Loaded TestTokenizerFamilies::folder(const char* tokenizerClass,
                                     const std::vector<std::pair<std::string, std::string>>& files) {
    const auto path = m_folder->path().toStdString();
    writeBytes(path + "/config.json", "{}");
    writeBytes(path + "/model.safetensors", validSafetensors());
    writeBytes(path + "/tokenizer_config.json", Json{{"tokenizer_class", tokenizerClass}}.dump());
    for (const auto& [name, content] : files) {
        writeBytes(path + "/" + name, content);
    }
    PARETO_TRY(const auto model, io::ModelFiles::open(path, io::Access::Read));
    return text::loadTokenizer(*model);
}

/// A sample, or a folder of tests/golden/text/spm with weights put beside it.
Loaded TestTokenizerFamilies::load(const std::string& name) {
    if (name == "minilm" || name == "smollm2") {
        PARETO_TRY(const auto files, io::ModelFiles::open(samplesFolder() + "/" + (name == "minilm" ? name : "smollm2-135m"),
                                                          io::Access::Read));
        return text::loadTokenizer(*files);
    }
    const QTemporaryDir copy;
    const auto path = copy.path().toStdString();
    std::filesystem::copy(kGolden + "spm/" + name, path);
    writeBytes(path + "/config.json", "{}");
    writeBytes(path + "/model.safetensors", validSafetensors());
    PARETO_TRY(const auto files, io::ModelFiles::open(path, io::Access::Read));
    return text::loadTokenizer(*files);
}

void TestTokenizerFamilies::tenThousandTexts_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"minilm", "smollm2", "t5", "llama"}) {
        QTest::newRow(name) << QString::fromLatin1(name);
    }
}

void TestTokenizerFamilies::tenThousandTexts() {
    QFETCH(QString, name);
    const auto tokenizer = load(name.toStdString());
    if (!tokenizer.ok() && tokenizer.error().code == ErrorCode::FileMissing) {
        QSKIP("the sample is not in the samples folder");
    }
    QVERIFY2(tokenizer.ok(), describe(tokenizer).c_str());
    const Json parts = golden("corpus.json");
    const Json wanted = golden("hashes.json")[name.toStdString()];
    const auto missing = wanted["missing"].get<std::vector<int>>();
    Corpus corpus(parts, wanted["specials"], wanted["seed"].get<std::uint64_t>());
    QVERIFY(wanted["blocks"].size() == 1000);
    for (std::size_t block = 0; block < wanted["blocks"].size(); ++block) {
        std::uint64_t hash = fnv("");
        std::string texts;
        for (int i = 0; i < kBlock; ++i) {
            const auto text = corpus.text();
            auto tokens = tokenizer.value()->encode(text);
            const auto decoded = tokenizer.value()->decode(tokens.ids);
            const bool lost = std::any_of(missing.begin(), missing.end(), [&](int byte) {
                return text.find(static_cast<char>(byte)) != std::string::npos;
            });
            auto line = hashedLine(tokens, decoded);
            if (lost) {
                const auto from = line.find('|');
                line = line.substr(0, from) + "||" + decoded + "\n";
            }
            hash = fnv(line, hash);
            texts += text + "\n";
        }
        const auto hex = QString::number(hash, 16).rightJustified(16, QLatin1Char('0')).toStdString();
        QVERIFY2(hex == wanted["blocks"][block].get<std::string>(),
                 ("block " + std::to_string(block) + ": " + texts).c_str());
    }
}

void TestTokenizerFamilies::windows() {
    const auto tokenizer = load("minilm");
    if (!tokenizer.ok()) {
        QSKIP("the sample minilm is not in the samples folder");
    }
    for (const auto& one : golden("windows.json")) {
        const auto windows = tokenizer.value()->encodeWindows(
            one["question"].get<std::string>(), one["text"].get<std::string>(),
            {one["max"].get<std::int64_t>(), one["stride"].get<std::int64_t>()});
        QVERIFY2(windows.ok(), describe(windows).c_str());
        QCOMPARE(windows->size(), one["windows"].size());
        for (std::size_t i = 0; i < windows->size(); ++i) {
            const auto& window = windows.value()[i];
            const Json& wanted = one["windows"][i];
            Json offsets = Json::array();
            Json sides = Json::array();
            for (std::size_t token = 0; token < window.ids.size(); ++token) {
                offsets.push_back({window.offsets[token].begin, window.offsets[token].end});
                sides.push_back(static_cast<int>(window.sides[token]));
            }
            QVERIFY(Json(window.ids) == wanted["ids"]);
            QVERIFY(Json(window.typeIds) == wanted["types"]);
            QVERIFY(sides == wanted["sides"]);
            QVERIFY(offsets == wanted["offsets"]);
        }
    }
}

void TestTokenizerFamilies::windowsWithoutRoom() {
    const auto tokenizer = folder("T5Tokenizer", {{"spiece.model", smallModel()}});
    QVERIFY2(tokenizer.ok(), describe(tokenizer).c_str());
    const auto windows = tokenizer.value()->encodeWindows("ab ab", "ab c ab c", {5, 1});
    QCOMPARE(windows.error().code, ErrorCode::TargetInvalid);
    QCOMPARE(windows.error().args.at("field"), std::string("max_length"));
    const auto empty = tokenizer.value()->encodeWindows("ab", "", {8, 1});
    QCOMPARE(empty->size(), std::size_t{1});
}

void TestTokenizerFamilies::streamIsWhole_data() { tenThousandTexts_data(); }

void TestTokenizerFamilies::streamIsWhole() {
    QFETCH(QString, name);
    const auto tokenizer = load(name.toStdString());
    if (!tokenizer.ok()) {
        QSKIP("the sample is not in the samples folder");
    }
    const Json parts = golden("corpus.json");
    Corpus corpus(parts, {"</s>", "[SEP]", "<|im_end|>"}, 99);
    Ids all;
    for (int i = 0; i < 300; ++i) {
        const auto ids = tokenizer.value()->encode(corpus.text()).ids;
        all.insert(all.end(), ids.begin(), ids.end());
        // Ids that no text gives: bytes that are no character.
        all.push_back(static_cast<std::int32_t>(i * 7 % tokenizer.value()->vocabularySize()));
        text::StreamDecoder decoder(tokenizer.value());
        std::string out;
        for (const auto id : ids) {
            out += decoder.add(id);
        }
        QCOMPARE(out + decoder.finish(), tokenizer.value()->decode(ids));
    }
    text::StreamDecoder decoder(tokenizer.value());
    std::string out;
    QElapsedTimer timer;
    timer.start();
    for (int round = 0; round < 10; ++round) {
        for (const auto id : all) {
            out += decoder.add(id);
        }
    }
    out += decoder.finish();
    // A token costs the same however many came before it.
    QVERIFY2(timer.elapsed() < 5'000, std::to_string(timer.elapsed()).c_str());
    Ids repeated;
    for (int round = 0; round < 10; ++round) {
        repeated.insert(repeated.end(), all.begin(), all.end());
    }
    QVERIFY(out == tokenizer.value()->decode(repeated));
}

void TestTokenizerFamilies::patternsAreThoseOfTheEngine_data() {
    QTest::addColumn<QString>("pattern");
    for (const char* pattern : {text::kGpt2Pattern, text::kLlama3Pattern, text::kQwen2Pattern}) {
        QTest::newRow(pattern) << QString::fromUtf8(pattern);
    }
}

/// The cutting by hand against ICU running the pattern.
void TestTokenizerFamilies::patternsAreThoseOfTheEngine() {
    QFETCH(QString, pattern);
    const auto cut = text::splitFunctionOf(pattern.toStdString());
    QVERIFY(cut != nullptr);
    const auto regex = text::Regex::compile(pattern.toStdString(), "p");
    QVERIFY(regex.ok());
    text::RegexScanner scanner(*regex.value());
    const Json parts = golden("corpus.json");
    Corpus corpus(parts, {"'S", "'ll", "'Re", "\r\n", "  \n ", "'ſ", "123456"}, 5);
    std::vector<text::Range> wanted;
    for (int i = 0; i < 3000; ++i) {
        const auto text = corpus.text();
        const auto chars = text::decodeUtf8(text);
        const text::Range within{static_cast<std::uint32_t>(chars.size() / 7), static_cast<std::uint32_t>(chars.size())};
        scanner.matches(chars, within, wanted);
        std::vector<text::Range> found;
        cut(chars, within, found);
        const auto same = [](text::Range a, text::Range b) { return a.begin == b.begin && a.end == b.end; };
        QVERIFY2(std::equal(found.begin(), found.end(), wanted.begin(), wanted.end(), same), text.c_str());
    }
}

/// The `tokenizers` package (0.22) takes apart what Unicode 9 takes apart: one character before and one after
/// each change.
void TestTokenizerFamilies::normalForms() {
    const auto normalized = [](const std::string& text, text::NormalForm form) {
        auto chars = text::decodeUtf8(text);
        text::Chars spare;
        text::normalize(chars, form, spare);
        std::u32string out;
        for (const auto& c : chars) {
            out += c.code;
        }
        return out;
    };
    using enum text::NormalForm;
    QVERIFY(normalized("㋾", Nfkd) == U"ヲ");
    QVERIFY(normalized("㋿🅬ꟲ𞀰🯰", Nfkd) == U"㋿🅬ꟲ𞀰🯰");
    QVERIFY(normalized("㋿🅬ꟲ𞀰🯰", Nfkc) == U"㋿🅬ꟲ𞀰🯰");
    QVERIFY(normalized("🅫ﬁ", Nfkc) == U"MDfi");
    QVERIFY(normalized("e\xCC\x81", Nfc) == U"é");
    const std::string dives = "\xF0\x91\xA4\xB5\xF0\x91\xA4\xB0";  // U+11935 U+11930, of Unicode 13
    QVERIFY(normalized(dives, Nfc) == U"\U00011935\U00011930");
}

void TestTokenizerFamilies::marian() {
    const auto tokenizer = folder("MarianTokenizer",
                                  {{"source.spm", smallModel()},
                                   {"target.spm", smallModel()},
                                   {"vocab.json", R"({"</s>":0,"<unk>":1,"▁ab":2,"a":3,"▁":4,">>fra<<":5,"<pad>":6,"x":7})"}});
    QVERIFY2(tokenizer.ok(), describe(tokenizer).c_str());
    const auto& marian = *tokenizer.value();
    QCOMPARE(marian.encode("ab").ids, (Ids{2, 0}));
    // "c" has a piece but no id; what has no piece is one unknown token a run.
    QCOMPARE(marian.encode("ab c zz").ids, (Ids{2, 4, 1, 4, 1, 0}));
    const auto coded = marian.encode(">>fra<< ab");
    QCOMPARE(coded.ids, (Ids{5, 2, 0}));
    QCOMPARE(coded.offsets[1].begin, 8);
    QCOMPARE(coded.offsets[1].end, 10);
    QCOMPARE(marian.encode(">>deu<<ab").ids, (Ids{1, 2, 0}));
    QCOMPARE(marian.encode("ab</s> ab").ids, (Ids{2, 0, 2, 0}));
    QCOMPARE(marian.decode({2, 2, 3, 0}), std::string("ab aba"));
    QCOMPARE(marian.padId(), 6);
    QCOMPARE(marian.eosId(), 0);
}

/// What a model is to learn to say is cut into the target language's pieces; others have one tokenizer.
void TestTokenizerFamilies::marianTargets() {
    const std::string target = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece("▁", -2) +
                               piece("a", -1) + piece("x", -1);
    const auto source = folder("MarianTokenizer",
                               {{"source.spm", smallModel()},
                                {"target.spm", target},
                                {"vocab.json", R"({"</s>":0,"<unk>":1,"▁ab":2,"a":3,"▁":4,"<pad>":5,"x":6})"}});
    QVERIFY2(source.ok(), describe(source).c_str());
    QCOMPARE(source.value()->encode("ab").ids, (Ids{2, 0}));
    const auto path = m_folder->path().toStdString();
    const auto targets = [&]() -> Loaded {
        PARETO_TRY(const auto files, io::ModelFiles::open(path, io::Access::Read));
        return text::loadTargetTokenizer(*files);
    };
    const auto said = targets();
    QVERIFY2(said.ok(), describe(said).c_str());
    QCOMPARE(said.value()->encode("ab").ids, (Ids{4, 3, 1, 0}));
    std::filesystem::remove(path + "/target.spm");
    QVERIFY(targets().error().args.at("file").ends_with("target.spm"));
    std::filesystem::remove(path + "/source.spm");
    writeBytes(path + "/spiece.model", smallModel());
    const auto one = targets();
    QVERIFY2(one.ok(), describe(one).c_str());
}

/// What marian-nmt and OPUS-MT leave: a vocabulary in YAML, without the padding that transformers adds.
void TestTokenizerFamilies::marianYaml() {
    const auto made = [this](const char* yaml) {
        return folder("MarianTokenizer", {{"source.spm", smallModel()}, {"opus.spm32k-spm32k.vocab.yml", yaml}});
    };
    const auto tokenizer = made("</s>: 0\n\"<unk>\": 1\n\"\\u2581ab\": 2\n'a': 3\n▁: 4\n\">>fra<<\": 5\n? x\n: 6\n");
    QVERIFY2(tokenizer.ok(), describe(tokenizer).c_str());
    QCOMPARE(tokenizer.value()->encode(">>fra<< ab").ids, (Ids{5, 2, 0}));
    QCOMPARE(tokenizer.value()->encode("ab c").ids, (Ids{2, 4, 1, 0}));
    QCOMPARE(tokenizer.value()->padId(), 7);
    for (const auto& [yaml, says] : {std::pair{"a: one\n", "\"one\""}, std::pair{"- a\n", "mapping"},
                                     std::pair{"a: 1\nb: 2: 3\n", "line 2"}, std::pair{"a: 1\nb: 1\n", "same id"}}) {
        const auto bad = made(yaml);
        QVERIFY(!bad.ok());
        QVERIFY2(errorMessage(bad.error()).find(says) != std::string::npos, errorMessage(bad.error()).c_str());
    }
    const auto none = folder("MarianTokenizer", {{"source.spm", smallModel()}});
    QVERIFY(errorMessage(none.error()).find("vocab.yml") != std::string::npos);
    const auto two = folder("MarianTokenizer", {{"source.spm", smallModel()}, {"a.vocab.yml", ""}, {"b.vocab.yml", ""}});
    QVERIFY(errorMessage(two.error()).find("b.vocab.yml") != std::string::npos);
}

void TestTokenizerFamilies::byteLevelFiles() {
    const char* vocab = R"({"<|endoftext|>":0,"a":1,"b":2,"ab":3,"Ġ":4,"Ġab":5})";
    const auto tokenizer = folder("GPT2Tokenizer", {{"vocab.json", vocab}, {"merges.txt", "#version: 0.2\na b\nĠ ab\n"}});
    QVERIFY2(tokenizer.ok(), describe(tokenizer).c_str());
    QCOMPARE(tokenizer.value()->encode("ab ab<|endoftext|>").ids, (Ids{3, 5, 0}));
    const auto bad = folder("GPT2Tokenizer", {{"merges.txt", "a b\na\n"}});
    QCOMPARE(bad.error().code, ErrorCode::TokenizerInvalid);
    QVERIFY(errorMessage(bad.error()).find("line 2") != std::string::npos);
    QVERIFY(!folder("RobertaTokenizer", {{"merges.txt", "a b\n"}}).ok());  // no <s>
}

void TestTokenizerFamilies::ggufKinds() {
    io::GgufMetadata metadata;
    const auto make = [&]() -> Loaded {
        PARETO_TRY(auto made, text::ggufTokenizer(metadata, "m.gguf"));
        return text::PipelineTokenizer::read(made.tokenizerJson, "m.gguf", made.specials);
    };
    auto& values = metadata.values;
    auto& tokens = metadata.strings["tokenizer.ggml.tokens"];
    values["tokenizer.ggml.model"] = "llama";
    tokens = {"<unk>", "<s>", "</s>", "<0x7A>", "▁", "a", "b", "ab", "▁ab"};
    QCOMPARE(make().error().code, ErrorCode::TokenizerInvalid);  // no scores
    metadata.numbers["tokenizer.ggml.scores"] = {0, 0, 0, 0, -5, -6, -7, -2, -1};
    metadata.numbers["tokenizer.ggml.token_type"] = {2, 3, 3, 6, 1, 1, 1, 1, 1};
    values["tokenizer.ggml.bos_token_id"] = 1;
    values["tokenizer.ggml.eos_token_id"] = 2;
    const auto llama = make();
    QVERIFY2(llama.ok(), describe(llama).c_str());
    QCOMPARE(llama.value()->encode("ab zab</s>").ids, (Ids{1, 8, 4, 3, 7, 2}));
    QCOMPARE(llama.value()->decode({1, 8, 4, 3, 7}), std::string("ab zab"));

    values["tokenizer.ggml.model"] = "t5";
    const auto unigram = make();
    QVERIFY2(unigram.ok(), describe(unigram).c_str());
    QCOMPARE(unigram.value()->encode("ab  ab").ids, (Ids{8, 8, 2}));

    values["tokenizer.ggml.model"] = "bert";
    tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁un", "able", "▁!", "x", "y"};
    metadata.numbers["tokenizer.ggml.token_type"] = {3, 2, 3, 3, 1, 1, 1, 1, 1};
    values["tokenizer.ggml.bos_token_id"] = 2;
    values["tokenizer.ggml.eos_token_id"] = 3;
    const auto bert = make();
    QVERIFY2(bert.ok(), describe(bert).c_str());
    QCOMPARE(bert.value()->encode("Unable! z").ids, (Ids{2, 4, 5, 6, 1, 3}));
    QCOMPARE(bert.value()->decode({2, 4, 5, 6, 3}), std::string("unable!"));
}

void TestTokenizerFamilies::malformedModels_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("says");
    const auto row = [](const char* name, const std::string& bytes, const char* says) {
        QTest::newRow(name) << QByteArray::fromStdString(bytes) << QString::fromLatin1(says);
    };
    row("empty", "", "no piece for its unknown token");
    row("text", "hello there", "at byte");
    row("cut piece", smallModel().substr(0, 20), "at byte");
    row("length", std::string("\x0A\xFF\xFF\xFF\xFF\x0F", 6), "more bytes than it has at byte 6");
    row("endless number", std::string(12, '\xFF'), "64 bits");
    row("ends in number", smallModel() + "\x0A", "within a number");
    row("wire type", smallModel() + "\x0B", "wire type");
    row("empty piece", piece("", 0), "piece 0");
    row("not UTF-8", piece("<unk>", 0, 2) + piece("\xFF", 0), "piece 1");
    row("infinite score", piece("a", std::numeric_limits<float>::infinity()), "piece 0");
    row("double piece", smallModel() + piece("a", -9), "the same as piece 4");
    row("word model", smallModel() + field(2, number(3, 3)), "words or characters");
    row("suffix", smallModel() + field(2, number(24, 1)), "treat_whitespace_as_suffix");
    row("bad charsmap", smallModel() + field(3, field(2, std::string("\x10\0\0\0ab", 6))), "precompiled_charsmap");
    row("no </s>", piece("<unk>", 0, 2) + piece("a", -1), "</s>");
}

void TestTokenizerFamilies::malformedModels() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, says);
    const auto tokenizer = folder("T5Tokenizer", {{"spiece.model", bytes.toStdString()}});
    if (std::string_view(QTest::currentDataTag()) == "no </s>") {
        // transformers adds the token that the pieces lack.
        QVERIFY2(tokenizer.ok(), describe(tokenizer).c_str());
        QCOMPARE(tokenizer.value()->encode("a").ids.back(), tokenizer.value()->tokenId("</s>"));
        return;
    }
    QVERIFY2(!tokenizer.ok(), "accepted");
    QCOMPARE(tokenizer.error().code, ErrorCode::TokenizerInvalid);
    const auto message = errorMessage(tokenizer.error());
    QVERIFY2(message.find(says.toStdString()) != std::string::npos, message.c_str());
    QVERIFY(message.find("spiece.model") != std::string::npos);
}

QTEST_GUILESS_MAIN(TestTokenizerFamilies)
#include "tst_tokenizer_families.moc"
