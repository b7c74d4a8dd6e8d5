// Ranks that share every batch train what one process alone trains with the whole of it, for every objective and term.
#include <QTemporaryDir>
#include <QtTest>

#include <atomic>
#include <set>

#include "engine/compress/pipeline.h"
#include "engine/train/trainer.h"
#include "engine/weights/weights_hash.h"
#include "tests/engine/models/golden.h"
#include "tests/engine/train/thread_ranks.h"

using namespace pareto;
using train::Objective;

namespace {

/// Six texts of different lengths.
const std::vector<std::vector<std::int32_t>> kTexts{{0, 11, 12, 13, 2},       {0, 21, 22, 2}, {0, 5, 6, 7, 8, 9, 2}, {0, 31, 2},
                                                    {0, 40, 41, 42, 43, 2}, {0, 15, 25, 35, 2}};

train::TrainingData dataOf(Objective objective, std::int64_t vocabulary) {
    train::TrainingData out;
    out.objective = objective;
    const auto fitting = [&](std::vector<std::int32_t> ids) {
        for (auto& id : ids) {
            id = static_cast<std::int32_t>(id % vocabulary);
        }
        return ids;
    };
    for (std::size_t i = 0; i < kTexts.size(); ++i) {
        train::Example example;
        example.ids = fitting(kTexts[i]);
        const auto length = static_cast<std::int32_t>(example.ids.size());
        example.label = static_cast<int>(i % 3);
        example.score = 0.2F * static_cast<float>(i) - 0.4F;
        example.answer = {1, std::min(length - 1, 1 + static_cast<std::int32_t>(i % 3))};
        for (std::int32_t token = 0; token < length; ++token) {
            // Texts with many labels, few, and none.
            example.tokenLabels.push_back(i == 1 || token == 0 ? -1 : token % 3);
        }
        if (objective == Objective::Similarity) {
            example.pair = fitting(kTexts[(i + 1) % kTexts.size()]);
        }
        if (objective == Objective::Target) {
            example.target = fitting(kTexts[(i + 2) % kTexts.size()]);
        }
        if (objective == Objective::NextToken) {
            example.answerFrom = 1 + static_cast<std::int64_t>(i % 2);
        }
        out.examples.push_back(std::move(example));
    }
    return out;
}

/// Five a step: ranks get different numbers of examples, and the last batch of an epoch is one that most have none of.
train::TrainOptions options() {
    train::TrainOptions out;
    out.spec.source = "golden";
    out.spec.steps = 8;
    out.spec.batch = 5;
    out.spec.learningRate = 2e-3;
    out.spec.warmup = 0.25;
    out.spec.dropout = 0.0;
    out.device.threads = 1;
    return out;
}

struct Case {
    LoadedModel model;
    std::optional<LoadedModel> teacher;
    std::vector<LayerPlan> plans;
    train::TrainingData data;
    train::TrainOptions options;
};

Result<train::TrainOutcome> trained(const Case& of, train::Ranks* ranks) {
    Progress progress;
    auto options = of.options;
    options.ranks = ranks;
    return train::train(of.model, of.teacher ? &*of.teacher : nullptr, of.plans, of.data, options, progress, {});
}

std::vector<Result<train::TrainOutcome>> trainedOnRanks(const Case& of, int size) {
    return test::onRanks<train::TrainOutcome>(size, [&](train::Ranks& ranks) { return trained(of, &ranks); });
}

Result<Case> caseOf(const std::string& model, Objective objective) {
    Case out;
    PARETO_TRY(out.model, test::openModel(test::kGolden + model));
    out.data = dataOf(objective, out.model.layout.vocabulary);
    out.options = options();
    return out;
}

Status learnFromTeacher(Case& of) {
    Recipe recipe;
    PruneSpec prune;
    prune.pattern = PrunePattern::Blocks;
    prune.method = PruneMethod::L1;
    prune.ratio = 0.5;
    recipe.prune.push_back(prune);
    Progress progress;
    PARETO_TRY(auto student, compress::compress(of.model, recipe, progress, {}));
    of.teacher = std::move(of.model);
    of.model = std::move(student.model);
    auto& distil = of.options.spec.distil.emplace();
    distil.logits = 1.0;
    distil.hidden = 1.0;
    distil.attention = 1.0;
    distil.relations = 1.0;
    return Done{};
}

void prune(Case& of, PruneMethod method) {
    of.plans.resize(of.model.layout.layers.size());
    for (std::size_t i = 0; i < of.plans.size(); ++i) {
        of.plans[i].method = method;
        of.plans[i].sparsity = of.model.layout.layers[i].block >= 0 ? 0.5 : 0.0;
    }
    of.options.spec.sparsify = {0.0, 0.6, 1, 1e-2};
}

void round(Case& of, Activations activations) {
    of.options.spec.quantizeAware = true;
    of.plans.resize(of.model.layout.layers.size());
    for (std::size_t i = 0; i < of.plans.size(); ++i) {
        auto& format = of.plans[i].format;
        format.format = NumberFormat::Int8;
        format.granularity = Granularity::Channel;
        format.activations = of.model.layout.layers[i].isEmbedding() ? Activations::None : activations;
    }
}

Result<Case> caseNamed(const QString& name) {
    const bool ofTask = name == QLatin1String("classes") || name.contains(QLatin1Char(','));
    if (!ofTask && name != QLatin1String("texts")) {
        const std::map<QString, std::pair<std::string, Objective>> others{
            {QStringLiteral("tokens' classes"), {"encoders/bert_tokens", Objective::TokenClasses}},
            {QStringLiteral("answers"), {"encoders/bert_answer", Objective::AnswerSpan}},
            {QStringLiteral("similarity"), {"encoders/bert_bare", Objective::Similarity}},
            {QStringLiteral("next tokens"), {"tiny_llama", Objective::NextToken}},
            {QStringLiteral("targets"), {"tiny_t5", Objective::Target}}};
        const auto& [model, objective] = others.at(name);
        return caseOf(model, objective);
    }
    PARETO_TRY(auto out, caseOf("encoders/roberta_classes", Objective::Classes));
    if (name.contains(QStringLiteral("distilled"))) {
        PARETO_CHECK(learnFromTeacher(out));
    } else if (name.contains(QStringLiteral("gradual"))) {
        prune(out, PruneMethod::Gradual);
    } else if (name.contains(QStringLiteral("soft"))) {
        prune(out, PruneMethod::SoftMovement);
    } else if (name.contains(QStringLiteral("static"))) {
        round(out, Activations::Int8Static);
    } else if (name.contains(QStringLiteral("rounded"))) {
        round(out, Activations::Int8Dynamic);
    } else if (name.contains(QStringLiteral("adapters"))) {
        out.options.spec.adapters.emplace();
    } else if (name.contains(QStringLiteral("accumulated"))) {
        out.options.spec.batch = 2;
        out.options.spec.accumulate = 3;
    } else if (name.contains(QStringLiteral("unlabelled"))) {
        out.data.examples[0].label = -1;
        out.data.examples[4].label = -1;
    }
    return out;
}

}  // namespace

class TestRanks : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sharesMakeTheBatch();
    void asOneAlone_data();
    void asOneAlone();
    void firstOneValidatesAndKeeps();
    void firstOneIsAskedToEnd();
    void goesOnFromTheFirstOnesState();
    void othersAreFound();
};

/// Every example once, and shares that add up.
void TestRanks::sharesMakeTheBatch() {
    const auto data = dataOf(Objective::TokenClasses, 100);
    for (const int size : {1, 2, 3, 7}) {
        std::multiset<std::size_t> seen;
        double texts = 0.0;
        double tokens = 0.0;
        double labels = 0.0;
        double ranks = 0.0;
        for (int rank = 0; rank < size; ++rank) {
            const auto share = train::shareOf(data, {0, 1, 2, 3, 4}, rank, size);
            QVERIFY(!share.examples.empty());
            if (share.texts > 0.0) {
                seen.insert(share.examples.begin(), share.examples.end());
            }
            texts += share.texts;
            tokens += share.tokens;
            labels += share.labels;
            ranks += share.ranks;
        }
        QCOMPARE(seen, (std::multiset<std::size_t>{0, 1, 2, 3, 4}));
        for (const double sum : {texts, tokens, labels, ranks}) {
            QVERIFY(std::fabs(sum - 1.0) < 1e-12);
        }
    }
}

void TestRanks::asOneAlone_data() {
    QTest::addColumn<QString>("what");
    QTest::addColumn<int>("size");
    for (const char* name : {"classes", "classes, unlabelled", "classes, accumulated", "classes, distilled", "classes, gradual",
                             "classes, soft movement", "classes, rounded", "classes, static", "classes, adapters",
                             "tokens' classes", "answers", "similarity", "next tokens", "targets"}) {
        for (const int size : {2, 3}) {
            QTest::addRow("%s on %d", name, size) << QString::fromLatin1(name) << size;
        }
    }
}

void TestRanks::asOneAlone() {
    QFETCH(QString, what);
    QFETCH(int, size);
    const auto of = caseNamed(what);
    CHECK_OK(of);
    const auto alone = trained(of.value(), nullptr);
    CHECK_OK(alone);
    const auto all = trainedOnRanks(of.value(), size);
    for (const auto& one : all) {
        CHECK_OK(one);
        QCOMPARE(weightsHash(one.value().model), weightsHash(all[0].value().model));
        QCOMPARE(one.value().record.points.size(), alone.value().record.points.size());
    }
    const auto& expected = alone.value().record.points;
    // A value that lies between two codes may fall to the other one when a sum has another order; then ways part.
    const bool rounds = what.contains(QStringLiteral("rounded")) || what.contains(QStringLiteral("static"));
    for (std::size_t i = 0; i < (rounds ? 2 : expected.size()); ++i) {
        const auto& found = all[1].value().record.points[i];
        const auto near = [&](double value, double wanted, const char* key) {
            QVERIFY2(std::fabs(value - wanted) < 1e-3 * std::max(0.02, std::fabs(wanted)),
                     qPrintable(QStringLiteral("step %1, %2: %3 instead of %4").arg(i + 1).arg(QLatin1String(key)).arg(value).arg(wanted)));
        };
        near(found.loss, expected[i].loss, "loss");
        near(found.gradientNorm, expected[i].gradientNorm, "norm");
        QCOMPARE(found.parts.size(), expected[i].parts.size());
        for (const auto& [name, value] : expected[i].parts) {
            near(found.parts.at(name), value, name.c_str());
        }
    }
    QVERIFY(expected.back().loss < expected.front().loss);
    const auto& notes = all[0].value().record.notes;
    QVERIFY(std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
        return note.find("every batch was shared by") != std::string::npos && note.find("host0, host1") != std::string::npos;
    }));
}

/// Others ask nobody, and keep what the first found best.
void TestRanks::firstOneValidatesAndKeeps() {
    auto of = caseNamed(QStringLiteral("classes"));
    CHECK_OK(of);
    of.value().options.spec.validateEvery = 2;
    std::atomic<int> asked = 0;
    const std::vector<double> values{0.5, 0.9, 0.7, 0.6};
    of.value().options.validate = [&](const LoadedModel&, std::stop_token) -> Result<train::Validated> {
        return train::Validated{"accuracy", values.at(static_cast<std::size_t>(asked++)), true};
    };
    const auto all = trainedOnRanks(of.value(), 2);
    CHECK_OK(all[0]);
    CHECK_OK(all[1]);
    QCOMPARE(asked.load(), 4);
    for (const auto& one : all) {
        QCOMPARE(one.value().record.keptStep, std::int64_t{4});
        QCOMPARE(one.value().record.validations[2].value, 0.7);
    }
    QCOMPARE(weightsHash(all[0].value().model), weightsHash(all[1].value().model));
}

void TestRanks::firstOneIsAskedToEnd() {
    const auto of = caseNamed(QStringLiteral("classes"));
    CHECK_OK(of);
    const auto all = test::onRanks<train::TrainOutcome>(2, [&](train::Ranks& ranks) {
        auto own = of.value();
        Control control;
        own.options.spec.steps = 200;
        own.options.control = &control;
        own.options.stepDone = [&](const TrainingPoint& point) {
            if (ranks.rank() == 0 && point.step == 3) {
                control.finish();
            }
        };
        return trained(own, &ranks);
    });
    for (const auto& one : all) {
        CHECK_OK(one);
        QCOMPARE(one.value().record.ended, std::string("asked"));
        QCOMPARE(one.value().record.steps, std::int64_t{4});
    }
}

/// Only the first has a file; all go on as if nothing had happened.
void TestRanks::goesOnFromTheFirstOnesState() {
    const QTemporaryDir folder;
    for (const char* name : {"classes, soft movement", "classes, static", "classes, distilled"}) {
        const auto of = caseNamed(QString::fromLatin1(name));
        CHECK_OK(of);
        const auto whole = trainedOnRanks(of.value(), 2);
        CHECK_OK(whole[0]);
        const auto file = folder.filePath(QString::fromLatin1(name) + QStringLiteral(".safetensors")).toStdString();
        const auto run = [&](bool stops) {
            return test::onRanks<train::TrainOutcome>(2, [&](train::Ranks& ranks) -> Result<train::TrainOutcome> {
                auto own = of.value();
                std::stop_source stop;
                own.options.checkpoint = ranks.rank() == 0 ? file : std::string();
                own.options.checkpointSeconds = 0.0;
                own.options.ranks = &ranks;
                own.options.stepDone = [&](const TrainingPoint& point) {
                    if (stops && point.step == 5) {
                        stop.request_stop();
                    }
                };
                Progress progress;
                return train::train(own.model, own.teacher ? &*own.teacher : nullptr, own.plans, own.data, own.options, progress,
                                    stop.get_token());
            });
        };
        const auto broken = run(true);
        QVERIFY(broken[0].cancelled() || !broken[0].ok());
        QVERIFY(QFile::exists(QString::fromStdString(file)));
        const auto rest = run(false);
        CHECK_OK(rest[0]);
        CHECK_OK(rest[1]);
        QCOMPARE(weightsHash(rest[0].value().model), weightsHash(whole[0].value().model));
        QCOMPARE(weightsHash(rest[1].value().model), weightsHash(whole[0].value().model));
        // What is finished is handed on without a step.
        const auto again = run(false);
        CHECK_OK(again[1]);
        QCOMPARE(weightsHash(again[1].value().model), weightsHash(whole[0].value().model));
    }
}

void TestRanks::othersAreFound() {
    const auto of = caseNamed(QStringLiteral("classes"));
    CHECK_OK(of);
    const auto all = test::onRanks<train::TrainOutcome>(3, [&](train::Ranks& ranks) {
        auto own = of.value();
        own.options.key = ranks.rank() == 2 ? "other data" : "data";
        return trained(own, &ranks);
    });
    for (const auto& one : all) {
        QVERIFY(!one.ok() && !one.cancelled());
    }
    QCOMPARE(all[1].error().code, ErrorCode::RankUnfit);
    QVERIFY(errorMessage(all[1].error()).find("Rank 2 on host2 trains something else") != std::string::npos);
}

QTEST_GUILESS_MAIN(TestRanks)
#include "tst_ranks.moc"
