#pragma once

#include <cstdint>
#include <vector>

namespace pareto::text {

/// Integers to small values in one array: built once, then only read. The key ~0 is not allowed.
template <typename Value>
class FlatMap {
public:
    explicit FlatMap(std::size_t expected = 0) { rehash(expected); }

    /// The value of a key, made when it is not there.
    Value& operator[](std::uint64_t key) {
        if ((m_size + 1) * 2 > m_slots.size()) {
            rehash(m_size * 2);
        }
        Slot& slot = m_slots[placeOf(key)];
        if (slot.key == kFree) {
            slot.key = key;
            ++m_size;
        }
        return slot.value;
    }
    /// Null when the key is not there.
    const Value* find(std::uint64_t key) const {
        const Slot& slot = m_slots[placeOf(key)];
        return slot.key == kFree ? nullptr : &slot.value;
    }
    std::size_t size() const { return m_size; }

private:
    static constexpr std::uint64_t kFree = ~std::uint64_t{0};
    struct Slot {
        std::uint64_t key = kFree;
        Value value{};
    };

    std::size_t placeOf(std::uint64_t key) const {
        // Fibonacci hashing: the high bits of the product depend on every bit of the key.
        std::size_t at = (key * 0x9E3779B97F4A7C15ULL) >> m_shift;
        while (m_slots[at].key != key && m_slots[at].key != kFree) {
            at = (at + 1) & (m_slots.size() - 1);
        }
        return at;
    }
    void rehash(std::size_t expected) {
        std::size_t size = 16;
        m_shift = 60;
        while (size < expected * 2 + 2) {
            size *= 2;
            --m_shift;
        }
        std::vector<Slot> old(size);
        old.swap(m_slots);
        for (const Slot& slot : old) {
            if (slot.key != kFree) {
                m_slots[placeOf(slot.key)] = slot;
            }
        }
    }

    std::vector<Slot> m_slots;
    std::size_t m_size = 0;
    int m_shift = 60;
};

}  // namespace pareto::text
