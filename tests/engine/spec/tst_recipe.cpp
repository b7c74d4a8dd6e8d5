// The recipe's JSON: what is read, what is refused and how it is said, and that nothing is lost.
#include <QtTest>

#include <cmath>

#include "engine/spec/recipe.h"

using namespace pareto;

namespace {

Result<Recipe> parse(const char* text) {
    auto json = parseJson(text, "recipe");
    if (!json.ok()) {
        return json.error();
    }
    return recipeFromJson(json.value());
}

const char* const kFull = R"({"version": 1, "name": "half", "order": ["quantize", "prune"],
  "defaults": {"prune": [{"method": "l1", "pattern": "heads", "ratio": 0.5},
                         {"pattern": "unstructured", "ratio": 0.25}],
               "quantize": {"weights": "int4", "group": 32, "symmetric": false, "range": "mse"}},
  "layers": [{"match": "encoder.layer.[0-3].*", "prune": {"ratio": 0.2}, "quantize": {"weights": "int8"}},
             {"match": "lm_head", "skip": true},
             {"match": "encoder.layer.1", "prune": null, "quantize": null}],
  "calibration": {"source": "wikitext2-valid", "samples": 64, "length": 128, "seed": 7},
  "untie": true, "seed": 3})";

}  // namespace

const char* const kCalibrated =
    R"({"version":1,"defaults":{"prune":{"pattern":"2:4","method":"sparsegpt"},"quantize":{"weights":"int4","method":"gptq","options":{"act_order":true}}},)"
    R"("layers":[{"match":"x","prune":{"ratio":0.3,"method":"wanda"},"quantize":{"method":"rtn"}}],"calibration":{"source":"a.csv#text","samples":9}})";

const char* const kRecovering =
    R"({"version":1,"recover":[{"source":"trec","schedule":"cosine","epochs":7,"batch":4,"quantize_aware":true,"bf16":true,)"
    R"("recompute":true,"patience":2,"distil":{"teacher":"/models/big","hidden":0.5,"blocks":[[0,1],[1,3]]}},)"
    R"({"method":"reconstruct","batch":8},{"source":{"kind":"classification","data":"/data"},"labels":0.5}]})";

const char* const kSparsifying =
    R"({"version":1,"defaults":{"prune":{"pattern":"4x4","method":"movement","ratio":0.8}},"recover":[)"
    R"({"source":"trec","fresh":true,"sparsify":{"begin":0.2,"end":0.5,"every":10,"score_rate":0.1}},)"
    R"({"source":"trec","adapters":{"rank":4,"dropout":0.1,"layers":".*query"},"distil":{"sequences":{"count":9,"prompt":5,"length":7}}},)"
    R"({"method":"reconstruct","learns":"biases-norms"}]})";

class TestRecipe : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsEveryField() {
        const auto result = parse(kFull);
        QVERIFY(result.ok());
        const auto& recipe = result.value();
        QCOMPARE(recipe.name, std::string("half"));
        QCOMPARE(recipe.order.size(), std::size_t{2});
        QCOMPARE(recipe.prune.size(), std::size_t{2});
        QCOMPARE(recipe.prune[0].pattern, PrunePattern::Heads);
        QCOMPARE(recipe.prune[1].method, PruneMethod::Magnitude);
        QCOMPARE(recipe.quantize->groupSize, std::int64_t{32});
        QCOMPARE(recipe.quantize->symmetric, false);
        QCOMPARE(recipe.layers[0].prune[0].ratio.value(), 0.2);
        QVERIFY(recipe.layers[1].skip);
        QVERIFY(recipe.layers[2].pruneOff && recipe.layers[2].quantizeOff);
        QCOMPARE(recipe.seed, std::uint64_t{3});
    }

    void recoverySurvivesJson() {
        const auto recipe = parse(kRecovering);
        QVERIFY2(recipe.ok(), recipe.ok() ? "" : errorMessage(recipe.error()).c_str());
        QCOMPARE(recipe.value().recover.size(), std::size_t{3});
        const auto& step = recipe.value().recover[0];
        QCOMPARE(step.schedule, LearningSchedule::Cosine);
        QCOMPARE(step.distil->blocks, (std::vector<std::pair<int, int>>{{0, 1}, {1, 3}}));
        QCOMPARE(step.distil->hidden, 0.5);
        QCOMPARE(step.distil->teacher, std::string("/models/big"));
        QVERIFY(step.quantizeAware && step.bf16 && step.recompute);
        QCOMPARE(recipe.value().recover[1].steps, std::int64_t{50});  // what fitting blocks leaves out
        QCOMPARE(recipe.value().recover[1].learningRate, 1e-3);
        QVERIFY(recipe.value().recover[2].source.find("classification") != std::string::npos);
        const auto again = recipeFromJson(recipeToJson(recipe.value()));
        QVERIFY(again.ok());
        QVERIFY(again.value() == recipe.value());
        QVERIFY(!recipe.value().isEmpty());
        QCOMPARE(recipeSummary(recipe.value()), std::string("distil/qat reconstruct train"));
        Recipe other = recipe.value();
        other.recover[1].steps = 51;
        QVERIFY(recipeHash(other) != recipeHash(recipe.value()));
    }

    void trainedPruningSurvivesJson() {
        const auto recipe = parse(kSparsifying);
        QVERIFY2(recipe.ok(), recipe.ok() ? "" : errorMessage(recipe.error()).c_str());
        const auto& steps = recipe.value().recover;
        QVERIFY(isTrained(recipe.value().prune[0].method));
        QVERIFY(steps[0].fresh);
        QCOMPARE(steps[0].sparsify, (SparsifySpec{0.2, 0.5, 10, 0.1}));
        QCOMPARE(*steps[1].adapters, (AdapterSpec{4, 8.0, 0.1, ".*query"}));  // alpha: twice the rank
        QCOMPARE(*steps[1].distil->sequences, (SequenceSpec{9, 5, 7}));
        QCOMPARE(steps[2].learns, LearnedPart::BiasesNorms);
        const auto again = recipeFromJson(recipeToJson(recipe.value()));
        QVERIFY(again.ok());
        QVERIFY(again.value() == recipe.value());
        QCOMPARE(recipeSummary(recipe.value()),
                 std::string("W80/4x4/movement train distil/lora reconstruct/biases-norms"));
        Recipe other = recipe.value();
        other.recover[0].sparsify.end = 0.6;
        QVERIFY(recipeHash(other) != recipeHash(recipe.value()));
    }

    /// As transformers' get_linear_schedule_with_warmup and its siblings say for 10 steps, 2 of them to warm up.
    void learningRates() {
        RecoverSpec spec;
        spec.learningRate = 1.0;
        spec.warmup = 0.15;  // ⌈1.5⌉
        const auto rates = [&](LearningSchedule schedule) {
            spec.schedule = schedule;
            std::vector<double> out;
            for (const std::int64_t step : {0, 1, 2, 6, 10}) {
                out.push_back(learningRateAt(spec, step, 10));
            }
            return out;
        };
        QCOMPARE(rates(LearningSchedule::Linear), (std::vector<double>{0.0, 0.5, 1.0, 0.5, 0.0}));
        QCOMPARE(rates(LearningSchedule::Constant), (std::vector<double>{0.0, 0.5, 1.0, 1.0, 1.0}));
        const auto cosine = rates(LearningSchedule::Cosine);
        QVERIFY(std::fabs(cosine[3] - 0.5) < 1e-12 && std::fabs(cosine[4]) < 1e-12 && cosine[2] == 1.0);
    }

    void survivesJson() {
        const auto recipe = parse(kFull).value();
        const auto again = recipeFromJson(recipeToJson(recipe));
        QVERIFY(again.ok());
        QVERIFY(again.value() == recipe);
        QCOMPARE(recipeHash(again.value()), recipeHash(recipe));
    }

    void nameDoesNotChangeTheHash() {
        auto recipe = parse(kFull).value();
        const auto before = recipeHash(recipe);
        recipe.name = "other";
        QCOMPARE(recipeHash(recipe), before);
        recipe.prune[0].ratio = 0.4;
        QVERIFY(recipeHash(recipe) != before);
    }

    void refuses_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("reason");
        const auto row = [](const char* name, const char* text, const char* field, const char* reason) {
            QTest::newRow(name) << QString::fromUtf8(text) << QString::fromUtf8(field)
                                << QString::fromUtf8(reason);
        };
        row("no version", R"({})", "version", "missing");
        row("future", R"({"version": 2})", "version", "1 to 1");
        row("unknown key", R"({"version": 1, "prune": {}})", "prune", "not known");
        row("ratio above 1", R"({"version":1,"defaults":{"prune":{"ratio":1.5}}})", "defaults.prune.ratio", "from 0");
        row("negative ratio", R"({"version":1,"defaults":{"prune":{"ratio":-0.1}}})", "defaults.prune.ratio", "from 0");
        row("whole ratio", R"({"version":1,"defaults":{"prune":{"ratio":1}}})", "defaults.prune.ratio", "below 1");
        row("no ratio", R"({"version":1,"defaults":{"prune":{"pattern":"heads"}}})", "defaults.prune.ratio", "missing");
        row("text ratio", R"({"version":1,"defaults":{"prune":{"ratio":"half"}}})", "defaults.prune.ratio", "number");
        row("unknown method", R"({"version":1,"defaults":{"prune":{"method":"obs","ratio":0.5}}})", "defaults.prune.method", "magnitude");
        row("method of other pattern", R"({"version":1,"defaults":{"prune":{"method":"magnitude","pattern":"heads","ratio":0.5}}})", "defaults.prune.method", "l1");
        row("pattern twice", R"({"version":1,"defaults":{"prune":[{"ratio":0.5},{"ratio":0.2}]}})", "defaults.prune[1].pattern", "twice");
        row("bits", R"({"version":1,"defaults":{"quantize":{"weights":"int5"}}})", "defaults.quantize.weights", "int4");
        row("no bits", R"({"version":1,"defaults":{"quantize":{"group":64}}})", "defaults.quantize.weights", "missing");
        row("group", R"({"version":1,"defaults":{"quantize":{"weights":"int4","group":7}}})", "defaults.quantize.group", "multiple of 8");
        row("method", R"({"version":1,"defaults":{"quantize":{"weights":"int4","method":"awq"}}})", "defaults.quantize.method", "rtn");
        row("N:M", R"({"version":1,"defaults":{"prune":{"pattern":"4:2"}}})", "defaults.prune.pattern", "2:4");
        row("N:M and ratio", R"({"version":1,"defaults":{"prune":{"pattern":"2:4","ratio":0.3}}})", "defaults.prune.ratio", "0.5");
        row("option of gptq", R"({"version":1,"defaults":{"quantize":{"weights":"int4","options":{"act_order":true}}}})", "defaults.quantize.options.act_order", "gptq");
        row("recover", R"({"version":1,"recover":{"finetune":{}}})", "recover.finetune", "not known");
        row("recover without data", R"({"version":1,"recover":{"method":"train"}})", "recover.source", "missing");
        row("recover by nothing", R"({"version":1,"recover":[{"source":"a.csv","labels":0}]})", "recover[0].labels", "nothing");
        row("recover method", R"({"version":1,"recover":{"method":"pray","source":"a.csv"}})", "recover.method", "reconstruct");
        row("distil nothing", R"({"version":1,"recover":{"source":"a","distil":{"logits":0}}})", "recover.distil.logits", "nothing");
        row("distil blocks", R"({"version":1,"recover":{"source":"a","distil":{"blocks":[[0]]}}})", "recover.distil.blocks", "pairs");
        row("schedule", R"({"version":1,"recover":{"source":"a","sparsify":{"begin":0.5,"end":0.2}}})", "recover.sparsify.end", "before");
        row("rank", R"({"version":1,"recover":{"source":"a","adapters":{"rank":0}}})", "recover.adapters.rank", "from 1");
        row("adapters and parts", R"({"version":1,"recover":{"source":"a","adapters":{},"learns":"biases"}})", "recover.learns", "adapters");
        row("adapters of blocks", R"({"version":1,"recover":{"method":"reconstruct","adapters":{}}})", "recover.adapters", "train");
        row("part", R"({"version":1,"recover":{"source":"a","learns":"heads"}})", "recover.learns", "biases-norms");
        row("fresh parts", R"({"version":1,"recover":{"source":"a","fresh":true,"learns":"norms"}})", "recover.fresh", "anew");
        row("texts of the teacher", R"({"version":1,"recover":{"source":"a","distil":{"sequences":{"count":0}}}})", "recover.distil.sequences.count", "from 1");
        row("bias of weights", R"({"version":1,"defaults":{"prune":{"ratio":0.5,"compensation":"bias"}}})", "defaults.prune.compensation", "least-squares");
        row("compensation twice", R"({"version":1,"defaults":{"prune":{"ratio":0.5,"method":"sparsegpt","compensation":"least-squares"}}})", "defaults.prune.compensation", "adjusts weights itself");
        row("rounds", R"({"version":1,"defaults":{"prune":{"ratio":0.5,"recomputations":3}}})", "defaults.prune.recomputations", "least-squares");
        row("order", R"({"version":1,"order":["prune","fly"]})", "order", "list of");
        row("layers", R"({"version":1,"layers":{}})", "layers", "list");
        row("no match", R"({"version":1,"layers":[{"skip":true}]})", "layers[0].match", "missing");
        row("override key", R"({"version":1,"layers":[{"match":"a","bits":4}]})", "layers[0].bits", "not known");
    }
    void refuses() {
        QFETCH(QString, text);
        QFETCH(QString, field);
        QFETCH(QString, reason);
        const auto result = parse(text.toUtf8().constData());
        QVERIFY(!result.ok());
        QCOMPARE(result.error().code, ErrorCode::RecipeInvalid);
        QCOMPARE(QString::fromStdString(result.error().args.at("field")), field);
        QVERIFY2(QString::fromStdString(result.error().args.at("reason")).contains(reason),
                 result.error().args.at("reason").c_str());
    }

    void calibratedMethods() {
        const auto recipe = parse(kCalibrated).value();
        QCOMPARE(recipe.prune[0].keepOf, 2);
        QCOMPARE(recipe.prune[0].groupOf, 4);
        QCOMPARE(recipe.prune[0].ratio, 0.5);
        QCOMPARE(recipe.quantize->method, QuantizeMethod::Gptq);
        QVERIFY(recipe.quantize->actOrder);
        QCOMPARE(recipe.calibration->samples, 9);
        QVERIFY(recipeFromJson(recipeToJson(recipe)).value() == recipe);
        QCOMPARE(recipeSummary(recipe), std::string("W2:4/sparsegpt int4/g64/gptq +1"));
    }

    void int4GetsGroupsUnlessTold() {
        const auto plain = parse(R"({"version":1,"defaults":{"quantize":{"weights":"int4"}}})").value();
        QCOMPARE(plain.quantize->granularity, Granularity::Group);
        QCOMPARE(plain.quantize->groupSize, std::int64_t{64});
        const auto channel = parse(R"({"version":1,"defaults":{"quantize":{"weights":"int4","group":"channel"}}})").value();
        QCOMPARE(channel.quantize->granularity, Granularity::Channel);
    }

    void summary() {
        QCOMPARE(recipeSummary(Recipe{}), std::string("–"));
        const auto recipe = parse(R"({"version":1,"defaults":{"prune":[{"pattern":"heads","ratio":0.5},
            {"pattern":"neurons","ratio":0.375}],"quantize":{"weights":"int8","activations":"int8-dynamic"}}})");
        QCOMPARE(recipeSummary(recipe.value()), std::string("H50 N37.5 int8+a8"));
        const auto gradients = parse(R"({"version":1,"defaults":{"prune":[{"pattern":"width","ratio":0.25},
            {"pattern":"heads","ratio":0.5,"method":"taylor"},
            {"pattern":"unstructured","ratio":0.5,"method":"fisher","recomputations":3}]}})");
        QVERIFY(recipeFromJson(recipeToJson(gradients.value())).value() == gradients.value());
        QCOMPARE(recipeSummary(gradients.value()), std::string("D25 H50/taylor W50/fisher"));
    }

    void inlineAndFile() {
        QVERIFY(loadRecipe(R"( {"version": 1})").ok());
        const auto missing = loadRecipe("no-such-recipe.json");
        QVERIFY(!missing.ok());
        QCOMPARE(missing.error().code, ErrorCode::FileMissing);
        const auto twice = loadRecipe(R"({"version":1,"version":1})");
        QCOMPARE(twice.error().code, ErrorCode::JsonInvalid);
    }
};

QTEST_GUILESS_MAIN(TestRecipe)
#include "tst_recipe.moc"
