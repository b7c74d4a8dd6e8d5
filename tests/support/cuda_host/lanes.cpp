#include "tests/support/cuda_host/lanes.h"

#include <atomic>

namespace pareto::test {
namespace {

constexpr std::size_t kStackBytes = 64 * 1024;
std::atomic<std::int64_t> missedCalls{0};

}  // namespace

Lanes::Lanes(int count)
    : slots(static_cast<std::size_t>(count)), m_fibers(static_cast<std::size_t>(count)) {
    for (auto& fiber : m_fibers) {
        fiber.stack.resize(kStackBytes);
    }
}

std::int64_t Lanes::missed() { return missedCalls; }

/// makecontext passes ints: the pointer comes in halves.
void Lanes::entry(unsigned high, unsigned low, int lane) {
    auto* self = reinterpret_cast<Lanes*>(static_cast<std::uintptr_t>(high) << 32 | low);
    (*self->m_work)(lane);
    self->m_fibers[static_cast<std::size_t>(lane)].done = true;
}

void Lanes::wait(int lane, int call) {
    auto& fiber = m_fibers[static_cast<std::size_t>(lane)];
    fiber.call = call;
    swapcontext(&fiber.context, &m_back);
}

void Lanes::run(const std::function<void(int)>& work) {
    m_work = &work;
    const auto address = reinterpret_cast<std::uintptr_t>(this);
    for (std::size_t lane = 0; lane < m_fibers.size(); ++lane) {
        auto& fiber = m_fibers[lane];
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.data();
        fiber.context.uc_stack.ss_size = fiber.stack.size();
        fiber.context.uc_link = &m_back;
        fiber.done = false;
        makecontext(&fiber.context, reinterpret_cast<void (*)()>(&Lanes::entry), 3,
                    static_cast<unsigned>(address >> 32), static_cast<unsigned>(address),
                    static_cast<int>(lane));
    }
    for (bool again = true; again;) {
        again = false;
        int first = -1;
        for (auto& fiber : m_fibers) {
            fiber.call = 0;
            if (!fiber.done) {
                swapcontext(&m_back, &fiber.context);
            }
            again = again || !fiber.done;
            const int call = fiber.done ? 0 : fiber.call;
            missedCalls += first >= 0 && call != first ? 1 : 0;
            first = first < 0 ? call : first;
        }
    }
}

}  // namespace pareto::test
