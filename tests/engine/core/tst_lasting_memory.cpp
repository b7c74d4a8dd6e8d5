// Memory of weights: side by side, each its own, given back when it is let go.
#include <QtTest>

#include <fstream>
#include <random>
#include <thread>

#include <unistd.h>

#include "engine/core/buffer.h"
#include "engine/core/lasting_memory.h"

using namespace pareto;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::size_t resident() {
    std::ifstream statm("/proc/self/statm");
    std::size_t pages = 0;
    statm >> pages >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Every byte as its owner wrote it.
bool holds(const std::byte* memory, std::size_t size, std::byte value) {
    return std::all_of(memory, memory + size, [value](std::byte byte) { return byte == value; });
}

}  // namespace

class TestLastingMemory : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sideBySide() {
        const auto first = lastingMemory(1000);
        const auto second = lastingMemory(1);
        const auto third = lastingMemory(0);
        QCOMPARE(second.get() - first.get(), std::ptrdiff_t{1024});
        QCOMPARE(third.get() - second.get(), std::ptrdiff_t{64});
        for (const auto* memory : {first.get(), second.get(), third.get()}) {
            QCOMPARE(reinterpret_cast<std::uintptr_t>(memory) % 64, std::uintptr_t{0});
        }
    }

    /// Larger than a region.
    void large() {
        const auto memory = lastingMemory(70 * kMiB + 5);
        std::memset(memory.get(), 7, 70 * kMiB + 5);
        const auto next = lastingMemory(100);
        std::memset(next.get(), 8, 100);
        QVERIFY(holds(memory.get(), 70 * kMiB + 5, std::byte{7}));
    }

    /// What is let go does not touch its neighbours, however small the pieces are and whatever goes first.
    void neighboursStay() {
        std::mt19937 random(5);
        struct Piece {
            std::shared_ptr<std::byte> memory;
            std::size_t size;
            std::byte value;
        };
        std::vector<Piece> pieces;
        for (int i = 0; i < 3000; ++i) {
            const std::size_t size = random() % 3 == 0 ? random() % 200'000 : random() % 5000;
            const auto value = static_cast<std::byte>(random() % 255 + 1);
            auto memory = lastingMemory(size);
            std::memset(memory.get(), static_cast<int>(value), size);
            pieces.push_back({std::move(memory), size, value});
            if (random() % 3 == 0) {
                std::swap(pieces[random() % pieces.size()], pieces.back());
                pieces.pop_back();
            }
        }
        for (const auto& piece : pieces) {
            QVERIFY(holds(piece.memory.get(), piece.size, piece.value));
        }
    }

    void goesBack() {
        const auto stays = lastingMemory(100);  // its region stays open
        stays.get()[0] = std::byte{1};
        const std::size_t before = resident();
        std::vector<std::shared_ptr<std::byte>> held;
        for (int i = 0; i < 64; ++i) {
            held.push_back(lastingMemory(kMiB));
            std::memset(held.back().get(), 3, kMiB);
        }
        QVERIFY(resident() > before + 60 * kMiB);
        held.resize(16);
        QVERIFY(resident() < before + 24 * kMiB);
        held.clear();
        QVERIFY(resident() < before + 8 * kMiB);
    }

    void fromManyThreads() {
        std::atomic<int> wrong{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&wrong, t] {
                std::vector<Buffer> held;
                for (int i = 0; i < 200; ++i) {
                    const std::size_t size = 1 + static_cast<std::size_t>(i * 977 % 30'000);
                    const auto value = static_cast<std::byte>(t + 1);
                    held.push_back(Buffer::createLasting(size, [&](std::span<std::byte> out) { std::fill(out.begin(), out.end(), value); }));
                    if (i % 5 == 4) {
                        held.erase(held.begin());
                    }
                }
                for (const auto& buffer : held) {
                    wrong += holds(buffer.data(), buffer.size(), static_cast<std::byte>(t + 1)) ? 0 : 1;
                }
            });
        }
        for (auto& thread : threads) {
            thread.join();
        }
        QCOMPARE(wrong.load(), 0);
    }
};

QTEST_GUILESS_MAIN(TestLastingMemory)
#include "tst_lasting_memory.moc"
