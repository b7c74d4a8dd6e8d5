// Deterministic mutations of PyTorch state dicts and of quantized checkpoints; see tst_fuzz_loaders.cpp.

#include <filesystem>

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include "engine/io/model_files.h"
#include "engine/io/torch_file.h"
#include "engine/layout/describe.h"
#include "engine/weights/load.h"
#include "tests/engine/io/torch_fixtures.h"
#include "tests/fuzz/mutate.h"

using namespace pareto;
using namespace pareto::fixtures;
using namespace pareto::fuzz;
namespace fs = std::filesystem;

namespace {

const std::string kGolden = PARETO_SOURCE_DIR "/tests/golden/";

/// A state dict with most of what torch.save writes.
std::string fullPickle() {
    PickledParts second;
    second.sizes = pickleTuple({pickleInt(2)});
    second.strides = pickleTuple({pickleInt(1)});
    second.offset = pickleInt(4);
    const auto parameter = pickleGlobal("torch._utils", "_rebuild_parameter") +
                           pickleTuple({second.bytes(), "\x88", "}"}) + "R";
    return "\x80\x02" + pickleGlobal("collections", "OrderedDict") + ")Rq\x01(" + pickleText("a") +
           PickledParts{}.bytes() + "q\x02" + pickleText("b") + parameter + pickleText("tied") +
           "h\x02" + pickleText("inner") + "}" + pickleText("c") + "h\x02s" + "u}" +
           pickleText("_metadata") + "Nsb.";
}

/// Instructions and names that a mutation of single bytes would hardly find.
std::string withInstruction(std::string pickle, RandomStream& random) {
    static const std::vector<std::string> kPieces{"(",
                                                  "t",
                                                  "u",
                                                  "e",
                                                  "R",
                                                  "b",
                                                  "Q",
                                                  "}",
                                                  "]",
                                                  ")",
                                                  "N",
                                                  "q\x01",
                                                  "h\x01",
                                                  "h\x02",
                                                  "s",
                                                  "a",
                                                  "\x85",
                                                  "\x86",
                                                  "r" + std::string(4, '\xFF'),
                                                  "j" + std::string(4, '\xFF'),
                                                  "\x8A\xFF",
                                                  "X" + std::string(4, '\xFF'),
                                                  "\x95" + std::string(8, '\xFF'),
                                                  "\x94",
                                                  "\x93",
                                                  pickleGlobal("os", "system"),
                                                  pickleGlobal("torch", "Size"),
                                                  pickleInt(-1),
                                                  pickleLong(INT64_MAX),
                                                  pickleLong(INT64_MIN),
                                                  "c",
                                                  "i",
                                                  "."};
    const auto at = random.below(pickle.size() + 1);
    const auto& piece = kPieces[random.below(kPieces.size())];
    return random.below(2) == 0 ? pickle.insert(at, piece)
                                : pickle.replace(at, piece.size(), piece);
}

}  // namespace

class TestFuzzCheckpoints : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void archives();
    void pickles();
    void sequences();
    void quantized_data();
    void quantized();

private:
    /// True when it was read; then every tensor must be inside the file.
    bool opens(const std::string& bytes) {
        const auto path = m_folder.filePath(QStringLiteral("pytorch_model.bin")).toStdString();
        overwrite(path, bytes);
        const auto file = InputFile::open(path).value();
        QElapsedTimer timer;
        timer.start();
        const auto content = io::contentOf(*file);
        checkFailure(content);
        const auto header = io::readTorchFile(
            *file, content.value() == io::Content::Zip ? io::Content::Zip : io::Content::Pickle);
        checkFailure(header);
        if (timer.elapsed() >= kLimitMs) {
            QTest::qFail("took longer than a second", __FILE__, __LINE__);
        }
        if (!header.ok()) {
            return false;
        }
        for (const auto& tensor : header->tensors) {
            if (tensor.bytes > file->size() || tensor.offset > file->size() - tensor.bytes) {
                QTest::qFail("a tensor reaches beyond the file", __FILE__, __LINE__);
            }
        }
        return true;
    }
    QTemporaryDir m_folder;
};

void TestFuzzCheckpoints::archives() {
    RandomStream random(11, "archives");
    const auto seed = torchZip(fullPickle()).bytes();
    QVERIFY(opens(seed));
    int accepted = 0;
    for (int i = 0; i < fuzzCount(); ++i) {
        accepted += opens(mutated(seed, random)) ? 1 : 0;
    }
    QVERIFY(accepted > 0);
}

void TestFuzzCheckpoints::pickles() {
    RandomStream random(12, "pickles");
    int accepted = 0;
    for (int i = 0; i < fuzzCount(); ++i) {
        const auto pickle =
            i % 2 == 0 ? mutated(fullPickle(), random) : withInstruction(fullPickle(), random);
        accepted += opens(torchZip(pickle).bytes()) ? 1 : 0;
    }
    QVERIFY(accepted > 0);
}

void TestFuzzCheckpoints::sequences() {
    RandomStream random(13, "sequences");
    LegacyTorch seed;
    seed.state = fullPickle();
    QVERIFY(opens(seed.bytes()));
    int accepted = 0;
    for (int i = 0; i < fuzzCount(); ++i) {
        LegacyTorch file = seed;
        auto& part = random.below(3) == 0   ? file.keys
                     : random.below(3) == 0 ? file.machine
                                            : file.state;
        part = random.below(2) == 0 ? mutated(part, random) : withInstruction(part, random);
        accepted += opens(i % 4 == 0 ? mutated(seed.bytes(), random) : file.bytes()) ? 1 : 0;
    }
    QVERIFY(accepted > 0);
}

void TestFuzzCheckpoints::quantized_data() {
    QTest::addColumn<QString>("name");
    for (const char* name :
         {"gptq_act_order", "gptq_3bit", "gptq_dynamic", "awq", "ct_pack_3bit_asym", "ct_float8"}) {
        QTest::newRow(name) << QString::fromLatin1(name);
    }
}

void TestFuzzCheckpoints::quantized() {
    QFETCH(QString, name);
    RandomStream random(14, name.toStdString());
    const auto from = kGolden + "checkpoints/" + name.toStdString();
    const auto config = readTextFile(from + "/config.json").value();
    const auto weights = readTextFile(from + "/model.safetensors").value();
    const auto headerBytes = 8 + weights.find("}}") + 2;
    const auto folder = m_folder.filePath(name).toStdString();
    fs::create_directory(folder);
    overwrite(folder + "/config.json", config);
    overwrite(folder + "/model.safetensors", weights);
    int accepted = 0;
    // A whole model is loaded each time: a fortieth a checkpoint keeps the time equal.
    for (int i = 0; i < fuzzCount() / 40; ++i) {
        overwrite(folder + "/config.json", i % 2 == 0 ? mutated(config, random) : config);
        auto spoiled = weights;
        if (i % 2 != 0) {
            // Values only: a header that is read is what the safetensors fuzzing is for.
            for (int change = 0; change < 8; ++change) {
                const auto at = headerBytes + random.below(weights.size() - headerBytes);
                spoiled[at] = static_cast<char>(random.below(256));
            }
        }
        overwrite(folder + "/model.safetensors", spoiled);
        const auto files = io::ModelFiles::open(folder, io::Access::Read);
        checkFailure(files);
        if (!files.ok()) {
            continue;
        }
        auto layout = describeModel(*files.value());
        checkFailure(layout);
        if (layout.ok()) {
            Progress progress;
            const auto model = loadWeights(*files.value(), std::move(layout).value(), progress, {});
            checkFailure(model);
            accepted += model.ok() ? 1 : 0;
        }
    }
    QVERIFY(accepted > 0);
}

QTEST_GUILESS_MAIN(TestFuzzCheckpoints)
#include "tst_fuzz_checkpoints.moc"
