#include <QMouseEvent>
#include <QScrollArea>
#include <QSignalSpy>
#include <QTest>

#include "widgets/editors/block_pairs_view.h"

using namespace pareto::widgets;
using namespace Qt::StringLiterals;

/// Pairs made and taken away with the mouse and with keys. The view changes nothing itself: the
/// test is its owner.
class TestBlockPairsView : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m_view = std::make_unique<BlockPairsView>(u"pairsView"_s);
        m_view->resize(300, 300);
        m_view->setBlocks(
            {u"Block 0"_s, u"Block 1"_s, u"Block 2"_s},
            {u"Block 0"_s, u"Block 1"_s, u"Block 2"_s, u"Block 3"_s, u"Block 4"_s, u"Block 5"_s});
        m_pairs = {{0, 1}, {1, 3}, {2, 5}};
        m_view->setPairs(m_pairs, false);
        connect(m_view.get(), &BlockPairsView::pairChosen, this, [this](int student, int teacher) {
            std::erase_if(m_pairs, [student](const auto& pair) { return pair.first == student; });
            m_pairs.emplace_back(student, teacher);
            m_view->setPairs(m_pairs, true);
        });
        connect(m_view.get(), &BlockPairsView::pairRemoved, this, [this](int student) {
            std::erase_if(m_pairs, [student](const auto& pair) { return pair.first == student; });
            m_view->setPairs(m_pairs, true);
        });
        m_view->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
        m_view->setFocus();
        QTRY_VERIFY(m_view->hasFocus());
    }
    void cleanup() { m_view.reset(); }

    void draggingSetsAPair() {
        QSignalSpy chosen(m_view.get(), &BlockPairsView::pairChosen);
        drag(m_view->pixelOf(BlockPairsView::Student, 1),
             m_view->pixelOf(BlockPairsView::Teacher, 4));
        QCOMPARE(chosen.count(), 1);
        QCOMPARE(chosen.last(), (QVariantList{1, 4}));
        QCOMPARE(teacherOf(1), 4);
        QCOMPARE(m_view->current(), 1);
        // The other way round is the same.
        drag(m_view->pixelOf(BlockPairsView::Teacher, 0),
             m_view->pixelOf(BlockPairsView::Student, 2));
        QCOMPARE(teacherOf(2), 0);
        QCOMPARE(m_view->pairs().size(), std::size_t{3});
    }

    void whatIsNoPairIsNoPair() {
        QSignalSpy chosen(m_view.get(), &BlockPairsView::pairChosen);
        drag(m_view->pixelOf(BlockPairsView::Student, 0),
             m_view->pixelOf(BlockPairsView::Student, 2));
        drag(m_view->pixelOf(BlockPairsView::Student, 0), QPoint(150, 4));
        drag(QPoint(150, 4), m_view->pixelOf(BlockPairsView::Teacher, 2));
        drag(m_view->pixelOf(BlockPairsView::Student, 0),
             m_view->pixelOf(BlockPairsView::Teacher, 1));  // it is already
        QTest::mouseClick(m_view.get(), Qt::LeftButton, {},
                          m_view->pixelOf(BlockPairsView::Student, 2));
        QCOMPARE(chosen.count(), 0);
        QCOMPARE(m_view->current(), 2);  // a click is where the keys go on
    }

    void aDoubleClickTakesAPairAway() {
        QTest::mouseDClick(m_view.get(), Qt::LeftButton, {}, *m_view->pixelOfPair(1));
        QCOMPARE(teacherOf(1), -1);
        QVERIFY(!m_view->pixelOfPair(1));
        QTest::mouseDClick(m_view.get(), Qt::LeftButton, {},
                           m_view->pixelOf(BlockPairsView::Student, 0));
        QCOMPARE(teacherOf(0), -1);
        QTest::mouseDClick(m_view.get(), Qt::LeftButton, {},
                           m_view->pixelOf(BlockPairsView::Teacher, 5));
        QTest::mouseDClick(m_view.get(), Qt::LeftButton, {}, QPoint(2, 2));
        QCOMPARE(m_pairs.size(), std::size_t{1});
    }

    void keysDoAllOfIt() {
        QCOMPARE(m_view->accessibleDescription(), u"Block 0 learns from Block 1"_s);
        QTest::keyClick(m_view.get(), Qt::Key_Down);
        QCOMPARE(m_view->current(), 1);
        QTest::keyClick(m_view.get(), Qt::Key_Return);
        QCOMPARE(m_view->accessibleDescription(), u"Block 1: Enter lets it learn from Block 3"_s);
        QTest::keyClick(m_view.get(), Qt::Key_Up);
        QCOMPARE(m_view->accessibleDescription(), u"Block 1: Enter lets it learn from Block 2"_s);
        QTest::keyClick(m_view.get(), Qt::Key_Return);
        QCOMPARE(teacherOf(1), 2);
        QCOMPARE(m_view->accessibleDescription(), u"Block 1 learns from Block 2"_s);
        // Escape lets go without a change.
        QTest::keyClick(m_view.get(), Qt::Key_Right);
        QTest::keyClick(m_view.get(), Qt::Key_Down);
        QTest::keyClick(m_view.get(), Qt::Key_Escape);
        QCOMPARE(teacherOf(1), 2);
        QTest::keyClick(m_view.get(), Qt::Key_Delete);
        QCOMPARE(teacherOf(1), -1);
        QCOMPARE(m_view->accessibleDescription(), u"Block 1 learns from no block"_s);
        QTest::keyClick(m_view.get(), Qt::Key_Delete);  // there is none
        QCOMPARE(m_pairs.size(), std::size_t{2});
        for (int i = 0; i < 9; ++i) {
            QTest::keyClick(m_view.get(), Qt::Key_Down);
        }
        QCOMPARE(m_view->current(), 2);
    }

    void pairsOfBlocksThatAreNotThereAreLeftOut() {
        m_view->setPairs({{0, 1}, {7, 1}, {1, 9}, {-1, 0}}, true);
        QCOMPARE(m_view->pairs(), (BlockPairsView::Pairs{{0, 1}}));
        m_view->setBlocks({}, {});
        QVERIFY(m_view->pairs().empty());
        QTest::keyClick(m_view.get(), Qt::Key_Return);
        QVERIFY(!m_view->grab().isNull());
    }

    void linesAreDrawnBetweenTheBlocks() {
        const QImage with = m_view->grab().toImage();
        m_view->setPairs({{0, 1}, {2, 5}}, false);
        const QImage without = m_view->grab().toImage();
        const double ratio = with.devicePixelRatio();
        m_view->setPairs(m_pairs, true);
        const QPoint middle = *m_view->pixelOfPair(1);
        int differing = 0;
        for (int dx = -14; dx <= 14; ++dx) {  // a dashed line has gaps
            const QPoint at(qRound((middle.x() + dx) * ratio), qRound(middle.y() * ratio));
            differing += with.pixel(at) != without.pixel(at);
        }
        QVERIFY(differing > 3);
    }

private:
    int teacherOf(int student) const {
        for (const auto& pair : m_view->pairs()) {
            if (pair.first == student) {
                return pair.second;
            }
        }
        return -1;
    }
    void drag(const QPoint& from, const QPoint& to) {
        QTest::mousePress(m_view.get(), Qt::LeftButton, {}, from);
        QMouseEvent move(QEvent::MouseMove, to, m_view->mapToGlobal(to), Qt::NoButton,
                         Qt::LeftButton, {});
        QCoreApplication::sendEvent(m_view.get(), &move);
        QTest::mouseRelease(m_view.get(), Qt::LeftButton, {}, to);
    }

    std::unique_ptr<BlockPairsView> m_view;
    BlockPairsView::Pairs m_pairs;
};

QTEST_MAIN(TestBlockPairsView)
#include "tst_block_pairs_view.moc"
