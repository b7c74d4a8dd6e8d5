// Key/value caches: sequences of different lengths in one batch, truncation, reordering, formats.
#include "tests/engine/models/golden.h"

using namespace pareto;
using namespace pareto::test;
using models::CacheFormat;

namespace {

using Ids = std::vector<std::vector<std::int32_t>>;

std::vector<std::int32_t> cut(const std::vector<std::int32_t>& ids, std::size_t from,
                              std::size_t to) {
    return {ids.begin() + static_cast<std::ptrdiff_t>(from),
            ids.begin() + static_cast<std::ptrdiff_t>(to)};
}

/// Three sequences of the model's golden ids: as they are, backwards, and every other one twice.
Ids sequencesOf(const Json& golden) {
    const auto ids = idsOf(golden["ids"]);
    std::vector<std::int32_t> twice;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        twice.push_back(ids[i / 2 * 2]);
    }
    return {ids, {ids.rbegin(), ids.rend()}, twice};
}

}  // namespace

class TestKvCache : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void raggedBatch_data() { addModels(); }
    void raggedBatch();
    void truncate_data() { addModels(); }
    void truncate();
    void reorder_data() { addModels(); }
    void reorder();
    void narrowFormats_data() { addModels(); }
    void narrowFormats();
    void manyKeys_data() { addModels(); }
    void manyKeys();
    void asTheModelSays();
    void refusesWhatDoesNotFit();

private:
    static void addModels() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"gpt2", "llama_bias", "mistral", "gemma2", "gemma3"}) {
            QTest::newRow(name) << QString::fromLatin1(name);
        }
    }
};

/// Prefills and further steps of any mixture of lengths give what each sequence gives alone.
void TestKvCache::raggedBatch() {
    QFETCH(QString, name);
    const auto sequences = sequencesOf(golden("decoders/" + name.toStdString() + ".json"));
    auto runnable = prepare(kGolden + "decoders/" + name.toStdString());
    CHECK_OK(runnable);
    auto& decoder = *runnable->decoder;
    std::vector<models::Matrix> alone;
    for (const auto& ids : sequences) {
        auto logits = decoder.logits(ids, {});
        CHECK_OK(logits);
        alone.push_back(logits.value());
    }
    for (const auto format : {CacheFormat::F32, CacheFormat::F16, CacheFormat::Int8, CacheFormat::Int4}) {
        const double allowed = format == CacheFormat::F32   ? 1e-4
                               : format == CacheFormat::F16 ? 0.05
                               : format == CacheFormat::Int8 ? 1.0
                                                             : 8.0;
        auto cache = decoder.newCache(3, {40, format});
        CHECK_OK(cache);
        std::vector<std::size_t> at(3, 0);
        for (const std::vector<std::size_t>& tokens :
             {std::vector<std::size_t>{5, 17, 9}, {1, 1, 1}, {1, 4, 2}, {11, 1, 1}, {1, 1, 20}}) {
            Ids step;
            for (std::size_t s = 0; s < 3; ++s) {
                step.push_back(cut(sequences[s], at[s], at[s] + tokens[s]));
                at[s] += tokens[s];
            }
            auto logits = decoder.step(step, *cache.value(), {});
            CHECK_OK(logits);
            QCOMPARE(logits->rows, std::int64_t{3});
            for (std::size_t s = 0; s < 3; ++s) {
                QCOMPARE(cache.value()->length(static_cast<std::int64_t>(s)),
                         static_cast<std::int64_t>(at[s]));
                const auto expected = alone[s].row(static_cast<std::int64_t>(at[s]) - 1);
                const double off =
                    largestDifference(logits->row(static_cast<std::int64_t>(s)), expected);
                QVERIFY2(off < allowed, qPrintable(QStringLiteral("%1 off").arg(off)));
            }
        }
        QCOMPARE(cache.value()->length(), std::int64_t{33});
    }
}

void TestKvCache::truncate() {
    QFETCH(QString, name);
    const auto sequences = sequencesOf(golden("decoders/" + name.toStdString() + ".json"));
    auto runnable = prepare(kGolden + "decoders/" + name.toStdString());
    CHECK_OK(runnable);
    auto& decoder = *runnable->decoder;
    auto cache = decoder.newCache(2, {40, CacheFormat::F32});
    CHECK_OK(cache);
    CHECK_OK(
        decoder.step({cut(sequences[0], 0, 20), cut(sequences[1], 0, 13)}, *cache.value(), {}));
    cache.value()->truncate(0, 7);
    cache.value()->truncate(1, 50);  // there are no more than 13
    QCOMPARE(cache.value()->length(0), std::int64_t{7});
    QCOMPARE(cache.value()->length(1), std::int64_t{13});
    auto logits =
        decoder.step({cut(sequences[2], 0, 5), cut(sequences[1], 13, 14)}, *cache.value(), {});
    CHECK_OK(logits);
    auto mixed = cut(sequences[0], 0, 7);
    mixed.insert(mixed.end(), sequences[2].begin(), sequences[2].begin() + 5);
    auto expected = decoder.logits(mixed, {});
    CHECK_OK(expected);
    QVERIFY(largestDifference(logits->row(0), expected->row(11)) < 1e-4);
    auto other = decoder.logits(cut(sequences[1], 0, 14), {});
    CHECK_OK(other);
    QVERIFY(largestDifference(logits->row(1), other->row(13)) < 1e-4);
}

void TestKvCache::reorder() {
    QFETCH(QString, name);
    const auto sequences = sequencesOf(golden("decoders/" + name.toStdString() + ".json"));
    auto runnable = prepare(kGolden + "decoders/" + name.toStdString());
    CHECK_OK(runnable);
    auto& decoder = *runnable->decoder;
    for (const auto format : {CacheFormat::F32, CacheFormat::F16, CacheFormat::Int8, CacheFormat::Int4}) {
        const std::vector<std::size_t> lengths{9, 14, 6};
        Ids held;
        for (std::size_t s = 0; s < 3; ++s) {
            held.push_back(cut(sequences[s], 0, lengths[s]));
        }
        // With as many, more and fewer sequences than before.
        for (const std::vector<std::int64_t>& parents :
             {std::vector<std::int64_t>{2, 0, 0}, {0, 1, 2}, {1, 1, 0, 2, 2}, {2}}) {
            auto cache = decoder.newCache(3, {40, format});
            CHECK_OK(cache);
            CHECK_OK(decoder.step(held, *cache.value(), {}));
            const auto bytes = cache.value()->bytes();
            cache.value()->reorder(parents);
            QCOMPARE(cache.value()->batch(), static_cast<std::int64_t>(parents.size()));
            QCOMPARE(cache.value()->bytes(), bytes / 3 * parents.size());
            const Ids next(parents.size(), {7, 8});
            auto logits = decoder.step(next, *cache.value(), {});
            CHECK_OK(logits);
            for (std::size_t i = 0; i < parents.size(); ++i) {
                const auto& parent = held[static_cast<std::size_t>(parents[i])];
                auto alone = decoder.newCache(1, {40, format});
                CHECK_OK(alone);
                CHECK_OK(decoder.step({parent}, *alone.value(), {}));
                auto expected = decoder.step({{7, 8}}, *alone.value(), {});
                CHECK_OK(expected);
                const double worst =
                    largestDifference(logits->row(static_cast<std::int64_t>(i)), expected->row(0));
                // A last bit that a batch adds up otherwise may round to the next code.
                const double most = format == CacheFormat::Int8   ? 0.02
                                    : format == CacheFormat::Int4 ? 1.0
                                                                  : 1e-4;
                QVERIFY2(worst < most, qPrintable(QString::number(worst) + u" with "_qs +
                                                  QString::number(static_cast<int>(format)) + u' ' +
                                                  QString::number(parents.size())));
            }
        }
    }
}

/// Behind hundreds of keys, where a head's are divided among threads, a token gets what a pass over everything gives
/// it, and in a step of a few tokens the bits that it gets alone.
void TestKvCache::manyKeys() {
    QFETCH(QString, name);
    auto opened = openModel(kGolden + "decoders/" + name.toStdString());
    CHECK_OK(opened);
    if (opened->layout.positions == Positions::Learned) {
        QSKIP("has a table of fewer positions");
    }
    constexpr std::size_t kTokens = 520;
    opened->layout.maxPositions = kTokens;
    models::DeviceOptions options;
    options.threads = 3;  // which divides the key heads of none of these models
    Progress progress;
    auto runnable = models::prepareModel(opened.value(), options, progress, {});
    CHECK_OK(runnable);
    auto& decoder = *runnable->decoder;
    std::vector<std::int32_t> ids;
    for (std::size_t i = 0; i < kTokens; ++i) {
        ids.push_back(static_cast<std::int32_t>((i * i + 3 * i) % static_cast<std::size_t>(decoder.layout().vocabulary)));
    }
    const auto whole = decoder.logits(ids, {});
    CHECK_OK(whole);
    for (const std::size_t begin : {std::size_t{380}, kTokens - 4}) {
        auto cache = decoder.newCache(1, {kTokens, CacheFormat::F32});
        CHECK_OK(cache);
        CHECK_OK(decoder.step({cut(ids, 0, begin)}, *cache.value(), {}));
        std::vector<std::vector<float>> alone;
        for (std::size_t i = begin; i < begin + 4; ++i) {
            const auto logits = decoder.step({{ids[i]}}, *cache.value(), {});
            CHECK_OK(logits);
            QVERIFY(largestDifference(logits->row(0), whole->row(static_cast<std::int64_t>(i))) < 2e-4);
            alone.push_back(logits->values);
        }
        for (std::size_t count = 2; count <= 4; ++count) {
            cache.value()->truncate(0, static_cast<std::int64_t>(begin));
            const auto together = decoder.stepAll({cut(ids, begin, begin + count)}, *cache.value(), {});
            CHECK_OK(together);
            for (std::size_t i = 0; i < count; ++i) {
                const auto row = together->row(static_cast<std::int64_t>(i));
                QCOMPARE(std::vector<float>(row.begin(), row.end()), alone[i]);
            }
        }
    }
    models::setThreads(2);
}

/// Bytes as they follow from the format; logits close to those with fp32 keys and values: within 0.2 %
/// (F16), 6 % (Int8) and half (Int4) of their spread. The models are random, so nothing smooths the errors.
void TestKvCache::narrowFormats() {
    QFETCH(QString, name);
    const auto ids = idsOf(golden("decoders/" + name.toStdString() + ".json")["ids"]);
    auto runnable = prepare(kGolden + "decoders/" + name.toStdString());
    CHECK_OK(runnable);
    auto& decoder = *runnable->decoder;
    std::uint64_t heads = 0;
    for (const auto& block : decoder.layout().blocks) {
        heads += static_cast<std::uint64_t>(block.kvHeads);
    }
    const auto dim = static_cast<std::uint64_t>(decoder.layout().headDim);
    std::vector<float> exact;
    for (const auto& [format, bytes, allowed] :
         {std::tuple{CacheFormat::F32, 4 * dim, 0.0}, std::tuple{CacheFormat::F16, 2 * dim, 0.002},
          std::tuple{CacheFormat::Int8, dim + 4, 0.06},
          std::tuple{CacheFormat::Int4, (dim + 1) / 2 + (dim + 31) / 32 * 4, 0.5}}) {
        auto cache = decoder.newCache(2, {40, format});
        CHECK_OK(cache);
        // Keys in fp32 fill their last page of 64.
        const std::uint64_t tokens = format == CacheFormat::F32 ? 64 + 40 : 2 * 40;
        QCOMPARE(cache.value()->bytes(), 2 * tokens * heads * bytes);
        CHECK_OK(decoder.step({cut(ids, 0, 30), cut(ids, 0, 3)}, *cache.value(), {}));
        auto logits = decoder.step({cut(ids, 30, 31), cut(ids, 3, 31)}, *cache.value(), {});
        CHECK_OK(logits);
        if (exact.empty()) {
            exact = logits->values;
            continue;
        }
        const auto [low, high] = std::minmax_element(exact.begin(), exact.end());
        const double off = largestDifference(logits->values, std::span<const float>(exact)) /
                           static_cast<double>(*high - *low);
        QVERIFY2(off < allowed && off > 0.0,
                 qPrintable(QStringLiteral("%1 of the spread").arg(off)));
    }
}

/// What a recipe says holds for whoever says nothing else; likelihoods read keys and values back from codes.
void TestKvCache::asTheModelSays() {
    auto model = openModel(kGolden + "decoders/llama_bias");
    CHECK_OK(model);
    const auto ids = idsOf(golden("decoders/llama_bias.json")["ids"]);
    std::vector<std::vector<float>> losses;
    std::uint64_t before = 0;
    for (const auto format : {CacheFormat::F32, CacheFormat::F16, CacheFormat::Int8, CacheFormat::Int4}) {
        model->layout.cache = format;
        auto runnable = prepare(model.value());
        CHECK_OK(runnable);
        auto& decoder = *runnable->decoder;
        const auto room = static_cast<std::int64_t>(ids.size());
        auto silent = decoder.newCache(1, {room});
        auto spoken = decoder.newCache(1, {room, format});
        CHECK_OK(silent);
        CHECK_OK(spoken);
        QCOMPARE(silent.value()->bytes(), spoken.value()->bytes());
        QVERIFY(before == 0 || silent.value()->bytes() < before);
        before = silent.value()->bytes();
        auto found = decoder.negativeLogLikelihoods(ids, {});
        CHECK_OK(found);
        auto logits = decoder.logits(ids, {});
        CHECK_OK(logits);
        auto step = decoder.step({ids}, *spoken.value(), {});
        CHECK_OK(step);
        QVERIFY(largestDifference(step->row(0), logits->row(logits->rows - 1)) < 1e-4);
        losses.push_back(found.value());
        QCOMPARE(losses.size() > 1 && losses.back() == losses.front(), false);
    }
}

void TestKvCache::refusesWhatDoesNotFit() {
    auto runnable = prepare(kGolden + "decoders/gpt2");
    CHECK_OK(runnable);
    auto& decoder = *runnable->decoder;
    QVERIFY(!decoder.newCache(1, {65, CacheFormat::F32}).ok());  // 64 learned positions
    auto cache = decoder.newCache(2, {8, CacheFormat::F32});
    CHECK_OK(cache);
    QVERIFY(!decoder.step({{1, 2}}, *cache.value(), {}).ok());      // one sequence too few
    QVERIFY(!decoder.step({{1, 2}, {}}, *cache.value(), {}).ok());  // nothing to feed
    QVERIFY(!decoder.step({{1}, {1, 2, 3, 4, 5, 6, 7, 8, 9}}, *cache.value(), {}).ok());
    QCOMPARE(cache.value()->length(), std::int64_t{0});
    CHECK_OK(decoder.step({{1}, {1, 2, 3, 4, 5, 6, 7, 8}}, *cache.value(), {}));
    QVERIFY(!decoder.step({{1}, {1}}, *cache.value(), {}).ok());
}

QTEST_GUILESS_MAIN(TestKvCache)
#include "tst_kv_cache.moc"
