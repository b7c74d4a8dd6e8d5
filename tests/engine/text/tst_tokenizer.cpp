#include "engine/text/tokenizer.h"

#include <filesystem>

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include "engine/core/file.h"
#include "engine/spec/task.h"
#include "engine/text/gguf_tokenizer.h"
#include "engine/text/pipeline_tokenizer.h"
#include "tests/engine/io/fixtures.h"

using namespace pareto;
using namespace pareto::fixtures;
using text::PipelineTokenizer;

namespace {

using Loaded = Result<std::shared_ptr<const text::Tokenizer>>;

Loaded wordPiece(const std::string& more = {}) {
    return PipelineTokenizer::read(
        R"({"model":{"type":"WordPiece","unk_token":"[UNK]","vocab":{"[UNK]":0,"un":1,"##able":2,"##a":3,"able":4,"!":5,"[S]":6}},
"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},"decoder":{"type":"WordPiece"})" +
            more + "}",
        "w.json", {});
}

/// Byte-level BPE that knows the bytes of "ab é中😀" and "ab".
Loaded bytePairs(const std::string& model = {}, const std::string& more = {}) {
    std::string vocab = R"("a":0,"b":1,"Ġ":2,"ab":3,"Ġab":4)";
    int id = 5;
    for (const char* byte : {"Ã", "©", "ä", "¸", "Ń", "ð", "Ł", "ĺ", "Ģ"}) {
        vocab += ",\"" + std::string(byte) + "\":" + std::to_string(id++);
    }
    return PipelineTokenizer::read(R"({"model":{"type":"BPE","vocab":{)" + vocab +
                                       R"(},"merges":["a b","Ġ ab"])" + model +
                                       R"(},"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
"decoder":{"type":"ByteLevel"})" + more + "}",
                                   "b.json", {});
}

std::string fromHex(const std::string& hex) {
    return QByteArray::fromHex(QByteArray::fromStdString(hex)).toStdString();
}

using Ids = std::vector<std::int32_t>;

}  // namespace

class TestTokenizer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void golden_data();
    void golden();
    void exportedJsonGivesTheSame();
    void vocabularyFile();
    void wordPieceByHand();
    void bytePairsByHand();
    void addedTokens();
    void missingTokenizerIsNamed();
    void malformed_data();
    void malformed();
    void malformedGguf();
    void slowPatternsEnd();
    void longWordIsNotQuadratic();
    void streamedTextIsWholeText();

private:
    static Loaded load(const std::string& sample);
};

Loaded TestTokenizer::load(const std::string& sample) {
    PARETO_TRY(const auto files, io::ModelFiles::open(samplesFolder() + "/" + sample, io::Access::Read));
    return text::loadTokenizer(*files);
}

void TestTokenizer::golden_data() {
    QTest::addColumn<QString>("sample");
    QTest::addColumn<QString>("file");
    QTest::newRow("minilm") << QStringLiteral("minilm") << QStringLiteral("minilm.json");
    QTest::newRow("smollm2") << QStringLiteral("smollm2-135m") << QStringLiteral("smollm2.json");
}

void TestTokenizer::golden() {
    QFETCH(QString, sample);
    QFETCH(QString, file);
    if (!std::filesystem::exists(samplesFolder() + "/" + sample.toStdString())) {
        QSKIP(qPrintable(QStringLiteral("the sample %1 is not in the samples folder").arg(sample)));
    }
    const auto tokenizer = load(sample.toStdString());
    QVERIFY2(tokenizer.ok(), describe(tokenizer).c_str());
    const auto cases =
        readJsonFile(std::string(PARETO_SOURCE_DIR "/tests/golden/text/") + file.toStdString());
    QVERIFY(cases.ok());
    QVERIFY(cases->size() > 90);
    for (const auto& one : cases.value()) {
        text::EncodeOptions options;
        options.maxLength = one.value("max", 0);
        options.addSpecialTokens = one.value("special", true);
        const auto text = one.contains("hex") ? fromHex(one["hex"]) : one["text"].get<std::string>();
        const auto tokens = one.contains("pair")
                                ? tokenizer.value()->encodePair(text, one["pair"].get<std::string>(), options)
                                : tokenizer.value()->encode(text, options);
        const auto name = one.dump().substr(0, 200);
        QVERIFY2(Json(tokens.ids) == one["ids"], name.c_str());
        QVERIFY2(Json(tokens.typeIds) == one["types"], name.c_str());
        QVERIFY2(tokenizer.value()->decode(tokens.ids) == one["decoded"].get<std::string>(), name.c_str());
        if (one.contains("offsets")) {
            Json offsets = Json::array();
            for (const auto& span : tokens.offsets) {
                offsets.push_back({span.begin, span.end});
            }
            QVERIFY2(offsets == one["offsets"], name.c_str());
        }
    }
}

void TestTokenizer::exportedJsonGivesTheSame() {
    const auto tokenizer = load("smollm2-135m");
    if (!tokenizer.ok()) {
        QSKIP("the sample smollm2-135m is not in the samples folder");
    }
    const auto again = PipelineTokenizer::read(tokenizer.value()->toTokenizerJson(), "again.json", {});
    QVERIFY2(again.ok(), describe(again).c_str());
    const std::string text = "Hello <|im_start|>user\n 12345 naïve 中文 😀  \n\n x<|im_end|>";
    QCOMPARE(again.value()->encode(text).ids, tokenizer.value()->encode(text).ids);
    QCOMPARE(tokenizer.value()->vocabularySize(), 49152);
    QCOMPARE(tokenizer.value()->bosId(), 1);
    QCOMPARE(tokenizer.value()->eosId(), 2);
}

void TestTokenizer::vocabularyFile() {
    QTemporaryDir folder;
    const auto path = folder.path().toStdString();
    writeBytes(path + "/config.json", "{}");
    writeBytes(path + "/model.safetensors", validSafetensors());
    writeBytes(path + "/vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\r\n##s\n!\n");
    const auto files = io::ModelFiles::open(path);
    const auto tokenizer = text::loadTokenizer(*files.value());
    QVERIFY2(tokenizer.ok(), describe(tokenizer).c_str());
    QCOMPARE(tokenizer.value()->encode("Hellos! [MASK] x").ids, (Ids{2, 5, 6, 7, 4, 1, 3}));
    QCOMPARE(tokenizer.value()->padId(), 0);
    QCOMPARE(tokenizer.value()->bosId(), -1);
    writeBytes(path + "/vocab.txt", "a\nb\na\n");
    QCOMPARE(text::loadTokenizer(*files.value()).error().code, ErrorCode::TokenizerInvalid);
    writeBytes(path + "/vocab.txt", "a\nb\n");
    QCOMPARE(text::loadTokenizer(*files.value()).error().code, ErrorCode::TokenizerInvalid);
}

void TestTokenizer::wordPieceByHand() {
    const auto tokenizer = wordPiece();
    QVERIFY2(tokenizer.ok(), describe(tokenizer).c_str());
    const auto tokens = tokenizer.value()->encode("UNABLE  unx!");
    QCOMPARE(tokens.ids, (Ids{1, 2, 0, 5}));
    QCOMPARE(tokens.offsets[1].begin, 2);
    QCOMPARE(tokens.offsets[1].end, 6);
    QCOMPARE(tokens.offsets[2].begin, 8);
    QCOMPARE(tokens.offsets[2].end, 11);
    QCOMPARE(tokenizer.value()->decode({1, 2, 5}), std::string("unable!"));
    QCOMPARE(tokenizer.value()->decode({1, -1, 99, 4}), std::string("un able"));
    QCOMPARE(tokenizer.value()->tokenText(99), std::string());
}

void TestTokenizer::bytePairsByHand() {
    const auto tokenizer = bytePairs();
    QVERIFY2(tokenizer.ok(), describe(tokenizer).c_str());
    QCOMPARE(tokenizer.value()->encode("ab abé").ids, (Ids{3, 4, 5, 6}));
    QCOMPARE(tokenizer.value()->encode("aab").ids, (Ids{0, 3}));
    QCOMPARE(tokenizer.value()->decode({3, 4, 5, 6}), std::string("ab abé"));
    QCOMPARE(tokenizer.value()->decode({5}), std::string("\xEF\xBF\xBD"));
    const auto whole = bytePairs(R"(,"ignore_merges":true)");
    QCOMPARE(whole.value()->encode("ab ab").ids, (Ids{3, 4}));
}

void TestTokenizer::addedTokens() {
    const auto tokenizer = wordPiece(
        R"(,"added_tokens":[{"id":6,"content":"[S]","special":true},{"id":7,"content":"[S]x","special":false,"normalized":false},
{"id":8,"content":"<l>","lstrip":true,"rstrip":true},{"id":9,"content":"w","single_word":true}])");
    QVERIFY2(tokenizer.ok(), describe(tokenizer).c_str());
    // The longest wins; [s] is not normalized into being one.
    QCOMPARE(tokenizer.value()->encode("[S]x[S]un").ids, (Ids{7, 6, 1}));
    const auto stripped = tokenizer.value()->encode("un  <L>  un");
    QCOMPARE(stripped.ids, (Ids{1, 8, 1}));
    QCOMPARE(stripped.offsets[1].begin, 2);
    QCOMPARE(stripped.offsets[1].end, 9);
    QCOMPARE(tokenizer.value()->encode("w un! w").ids, (Ids{9, 1, 5, 9}));
    QCOMPARE(tokenizer.value()->encode("unw").ids, (Ids{0}));
    QCOMPARE(tokenizer.value()->decode({6, 1}), std::string("un"));
    QCOMPARE(tokenizer.value()->decode({6, 1}, false), std::string("[S] un"));
    QCOMPARE(tokenizer.value()->vocabularySize(), 10);
}

void TestTokenizer::missingTokenizerIsNamed() {
    QTemporaryDir folder;
    const auto path = folder.path().toStdString();
    writeBytes(path + "/config.json", "{}");
    writeBytes(path + "/model.safetensors", validSafetensors());
    const auto files = io::ModelFiles::open(path);
    const auto missing = text::loadTokenizer(*files.value());
    QCOMPARE(missing.error().code, ErrorCode::TokenizerMissing);
    QVERIFY(missing.error().args.at("known").starts_with("tokenizer.json, vocab.txt, source.spm"));
    writeBytes(path + "/outside.json", "{}");
    std::filesystem::create_symlink("/etc/hostname", path + "/tokenizer.json");
    QCOMPARE(text::loadTokenizer(*files.value()).error().code, ErrorCode::FileUnsafe);
}

void TestTokenizer::malformed_data() {
    QTest::addColumn<QString>("json");
    QTest::addColumn<QString>("says");
    const auto row = [](const char* json, const char* says) {
        QTest::newRow(json) << QString::fromUtf8(json) << QString::fromLatin1(says);
    };
    row("[]", "not a JSON object");
    row("{}", "model");
    row(R"({"model":1})", "model");
    row(R"({"model":{"type":"WordLevel"}})", "WordLevel");
    row(R"({"model":{"type":"Unigram"}})", "vocabulary");
    row(R"({"model":{"type":"Unigram","vocab":[["a"]]}})", "entry 0");
    row(R"({"model":{"type":"Unigram","vocab":[["a",0],["b","x"]]}})", "entry 1");
    row(R"({"model":{"type":"Unigram","vocab":[["a",0]],"unk_id":1}})", "unk_id 1");
    row(R"({"model":{"type":"BPE"}})", "vocabulary");
    row(R"({"model":{"type":"BPE","vocab":[]}})", "vocabulary");
    row(R"({"model":{"type":"BPE","vocab":{}}})", "vocabulary");
    row(R"({"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}})", "-1");
    row(R"({"model":{"type":"BPE","vocab":{"a":1.5},"merges":[]}})", "1.5");
    row(R"({"model":{"type":"BPE","vocab":{"a":4294967296},"merges":[]}})", "4294967296");
    row(R"({"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}})", "same id");
    row(R"({"model":{"type":"BPE","vocab":{"a":0}}})", "merges");
    row(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":["a"]}})", "merge 0");
    row(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":["a a a"]}})", "merge 0");
    row(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":[["a"]]}})", "merge 0");
    row(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":[7]}})", "merge 0");
    row(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":["a a"]}})", "not in its vocabulary");
    row(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"u"}})", "\"u\"");
    row(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1}})", "dropout");
    row(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":[],"end_of_word_suffix":"</w>"}})", "end_of_word");
    row(R"({"model":{"type":"WordPiece","vocab":{"a":0}}})", "[UNK]");
    const char* model = R"("model":{"type":"WordPiece","vocab":{"[UNK]":0}})";
    const auto with = [&](const std::string& part, const char* says) {
        row(("{" + std::string(model) + "," + part + "}").c_str(), says);
    };
    with(R"("normalizer":{"type":"Magic"})", "Magic");
    with(R"("normalizer":{"type":"Sequence"})", "Sequence");
    with(R"("normalizer":{"type":"Sequence","normalizers":[{"type":"Sequence","normalizers":[]}]})", "nested");
    with(R"("normalizer":{"type":"Replace","content":"x"})", "Replace has no pattern");
    with(R"("normalizer":{"type":"Replace","pattern":{"Regex":"["},"content":"x"})", "not valid");
    with(R"("normalizer":{"type":"Precompiled","precompiled_charsmap":"?"})", "base64");
    with(R"("normalizer":{"type":"Precompiled","precompiled_charsmap":"AAA="})", "shorter");
    with(R"("normalizer":{"type":"Precompiled","precompiled_charsmap":"AAEAAAAA"})", "larger");
    with(R"("pre_tokenizer":{"type":"Magic"})", "Magic");
    with(R"("pre_tokenizer":{"type":"Metaspace","replacement":"__"})", "one character");
    with(R"("pre_tokenizer":{"type":"Metaspace","prepend_scheme":"often"})", "often");
    with(R"("decoder":{"type":"Strip","content":""})", "empty text");
    with(R"("decoder":{"type":"Sequence","decoders":[{"type":"Replace","content":"x"}]})", "no pattern");
    with(R"("pre_tokenizer":{"type":"Split"})", "pattern");
    with(R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"("}})", "not valid");
    with(R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"a"},"behavior":"Odd"})", "Odd");
    with(R"("post_processor":{"type":"Magic"})", "Magic");
    with(R"("post_processor":{"type":"BertProcessing"})", "cls and sep");
    with(R"("post_processor":{"type":"TemplateProcessing","single":7})", "template");
    with(R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}],"pair":[]})", "\"x\"");
    with(R"("decoder":{"type":"Magic"})", "Magic");
    with(R"("added_tokens":{})", "added_tokens");
    with(R"("added_tokens":[{"id":1}])", "added_tokens");
    with(R"("added_tokens":[{"id":-1,"content":"x"}])", "added_tokens");
    with(R"("added_tokens":[{"id":1,"content":"[UNK]"}])", "[UNK]");
}

void TestTokenizer::malformed() {
    QFETCH(QString, json);
    QFETCH(QString, says);
    const auto tokenizer = PipelineTokenizer::read(json.toStdString(), "t.json", {});
    QVERIFY2(!tokenizer.ok(), "accepted");
    QCOMPARE(tokenizer.error().code, ErrorCode::TokenizerInvalid);
    const auto message = errorMessage(tokenizer.error());
    QVERIFY2(message.find(says.toStdString()) != std::string::npos, message.c_str());
    QVERIFY(message.starts_with("t.json"));
}

void TestTokenizer::malformedGguf() {
    io::GgufMetadata metadata;
    const auto code = [&] { return text::ggufTokenizer(metadata, "m.gguf").error().code; };
    QCOMPARE(code(), ErrorCode::TokenizerMissing);
    metadata.values["tokenizer.ggml.model"] = "rwkv";
    metadata.strings["tokenizer.ggml.tokens"] = {"a", "b", "ab"};
    QCOMPARE(code(), ErrorCode::TokenizerInvalid);
    metadata.values["tokenizer.ggml.model"] = "gpt2";
    QCOMPARE(code(), ErrorCode::TokenizerInvalid);  // no merges
    metadata.strings["tokenizer.ggml.merges"] = {"a b"};
    const auto made = text::ggufTokenizer(metadata, "m.gguf");
    QVERIFY2(made.ok(), describe(made).c_str());
    const auto tokenizer = PipelineTokenizer::read(made->tokenizerJson, "m.gguf", made->specials);
    QVERIFY2(tokenizer.ok(), describe(tokenizer).c_str());
    QCOMPARE(tokenizer.value()->encode("ab").ids, (Ids{2}));
    metadata.values["tokenizer.ggml.pre"] = "from-the-future";
    const auto unknown = text::ggufTokenizer(metadata, "m.gguf");
    QVERIFY(errorMessage(unknown.error()).find("smollm") != std::string::npos);
    metadata.values["tokenizer.ggml.pre"] = "llama-bpe";
    QCOMPARE(code(), ErrorCode::TokenizerInvalid);  // adds a bos token that is not named
    metadata.values["tokenizer.ggml.bos_token_id"] = 1;
    const auto llama = text::ggufTokenizer(metadata, "m.gguf");
    QVERIFY2(llama.ok(), describe(llama).c_str());
    const auto withBos = PipelineTokenizer::read(llama->tokenizerJson, "m.gguf", llama->specials);
    QCOMPARE(withBos.value()->encode("ab").ids, (Ids{1, 2}));
    metadata.numbers["tokenizer.ggml.token_type"] = {1.0};
    QCOMPARE(code(), ErrorCode::TokenizerInvalid);
    metadata.numbers.clear();
    metadata.strings["tokenizer.ggml.merges"] = {"a"};
    QCOMPARE(code(), ErrorCode::TokenizerInvalid);
    metadata.strings["tokenizer.ggml.tokens"] = {"a", "a"};
    QCOMPARE(code(), ErrorCode::TokenizerInvalid);
    metadata.strings["tokenizer.ggml.tokens"] = {"a", "\xFF"};
    QCOMPARE(code(), ErrorCode::TokenizerInvalid);
}

void TestTokenizer::slowPatternsEnd() {
    const auto tokenizer = PipelineTokenizer::read(
        R"j({"model":{"type":"WordPiece","vocab":{"[UNK]":0}},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a+)+$"},"behavior":"Isolated"}})j",
        "t.json", {});
    QVERIFY2(tokenizer.ok(), describe(tokenizer).c_str());
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(tokenizer.value()->encode(std::string(60, 'a') + "!").ids, (Ids{0}));
    QVERIFY2(timer.elapsed() < 20'000, std::to_string(timer.elapsed()).c_str());
}

void TestTokenizer::longWordIsNotQuadratic() {
    const auto tokenizer = bytePairs();
    QElapsedTimer timer;
    timer.start();
    std::string word;
    for (int i = 0; i < 500'000; ++i) {
        word += "ab";
    }
    QCOMPARE(tokenizer.value()->encode(word).ids.size(), std::size_t{500'000});
    QVERIFY2(timer.elapsed() < 20'000, std::to_string(timer.elapsed()).c_str());
}

void TestTokenizer::streamedTextIsWholeText() {
    const auto tokenizer = bytePairs().value();
    std::string text;
    for (int i = 0; i < 50; ++i) {
        text += "ab é中😀ab";
    }
    const auto ids = tokenizer->encode(text).ids;
    text::StreamDecoder decoder(tokenizer);
    std::string out;
    for (const auto id : ids) {
        const auto part = decoder.add(id);
        QVERIFY(part.find("\xEF\xBF\xBD") == std::string::npos);
        out += part;
    }
    out += decoder.finish();
    QCOMPARE(out, text);
    QCOMPARE(decoder.add(5), std::string());
    QCOMPARE(decoder.finish(), std::string("\xEF\xBF\xBD"));
    const auto words = wordPiece().value();
    text::StreamDecoder wordDecoder(words);
    std::string sentence;
    for (int i = 0; i < 200; ++i) {
        sentence += wordDecoder.add(i % 2 == 0 ? 1 : 2);
    }
    sentence += wordDecoder.finish();
    QCOMPARE(sentence.substr(0, 13), std::string("unable unable"));
    QCOMPARE(sentence.size(), std::size_t{100 * 7 - 1});
}

QTEST_GUILESS_MAIN(TestTokenizer)
#include "tst_tokenizer.moc"
