#include <QTest>

#include <algorithm>
#include <numeric>

#include "engine/core/random.h"
#include "engine/tasks/batching.h"
#include "tests/engine/tasks/fakes.h"

using namespace pareto;

class TestBatching : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyIndexOnceWithinTheLimits();
    void aLongItemStandsAlone();
    void outputsComeBackInTheOrderOfTheRows();
    void outputsThatAreNoNumbersAreRefused();
};

void TestBatching::everyIndexOnceWithinTheLimits() {
    RandomStream random(7, "test");
    std::vector<std::int64_t> lengths;
    for (int i = 0; i < 1000; ++i) {
        lengths.push_back(1 + static_cast<std::int64_t>(random.below(300)));
    }
    std::vector<int> seen(lengths.size(), 0);
    const auto batches = tasks::makeBatches(lengths, 2048);
    for (const auto& batch : batches) {
        std::int64_t longest = 0;
        std::int64_t used = 0;
        for (const auto index : batch) {
            ++seen[index];
            longest = std::max(longest, lengths[index]);
            used += lengths[index];
        }
        const auto padded = longest * static_cast<std::int64_t>(batch.size());
        QVERIFY(padded <= 2048);
        QVERIFY((padded - used) * 8 <= padded);
    }
    QVERIFY(std::all_of(seen.begin(), seen.end(), [](int times) { return times == 1; }));
    QVERIFY(batches.size() < lengths.size() / 4);
}

void TestBatching::aLongItemStandsAlone() {
    const auto batches = tasks::makeBatches({10, 5000, 10}, 2048);
    QCOMPARE(batches.size(), std::size_t{2});
    QCOMPARE(batches[0], std::vector<std::size_t>{1});
    QCOMPARE(batches[1], (std::vector<std::size_t>{0, 2}));
    QVERIFY(tasks::makeBatches({}, 2048).empty());
}

void TestBatching::outputsComeBackInTheOrderOfTheRows() {
    fakes::FakeEncoder encoder([](const std::vector<std::int32_t>& ids) {
        return std::vector<float>{static_cast<float>(ids.size()), static_cast<float>(ids.front())};
    });
    std::vector<text::TokenSequence> sequences;
    for (const int length : {3, 9, 1, 5, 9, 2}) {
        text::TokenSequence sequence;
        sequence.ids.assign(static_cast<std::size_t>(length), length * 11);
        sequence.typeIds.assign(static_cast<std::size_t>(length), 0);
        sequences.push_back(sequence);
    }
    Progress progress;
    const auto outputs = tasks::encodeAll(encoder, sequences, 16, progress, {});
    QVERIFY(outputs.ok());
    QCOMPARE(outputs->rows, 6);
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        const auto row = outputs->row(static_cast<std::int64_t>(i));
        QCOMPARE(row[0], static_cast<float>(sequences[i].ids.size()));
        QCOMPARE(row[1], static_cast<float>(sequences[i].ids.front()));
    }
    QCOMPARE(progress.snapshot().done, 6);
}

void TestBatching::outputsThatAreNoNumbersAreRefused() {
    fakes::FakeEncoder encoder([](const std::vector<std::int32_t>&) {
        return std::vector<float>{1.0F, std::numeric_limits<float>::quiet_NaN()};
    });
    text::TokenSequence sequence;
    sequence.ids = {1, 2};
    sequence.typeIds = {0, 0};
    Progress progress;
    const auto outputs = tasks::encodeAll(encoder, {sequence}, 16, progress, {});
    QVERIFY(!outputs.ok() && !outputs.cancelled());
    QCOMPARE(outputs.error().code, ErrorCode::EngineFailure);
}

QTEST_GUILESS_MAIN(TestBatching)
#include "tst_batching.moc"
