#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <QTest>

#include "engine/core/json.h"
#include "engine/core/random.h"
#include "tests/engine/io/fixtures.h"

// What the fuzz programs share: deterministic mutations of valid bytes.

namespace pareto::fuzz {

inline constexpr int kDefaultCount = 20'000;
inline constexpr qint64 kLimitMs = 1000;

inline int fuzzCount() {
    const char* set = std::getenv("PARETO_FUZZ_COUNT");
    return set != nullptr ? std::max(1, std::atoi(set)) : kDefaultCount;
}

inline const std::vector<std::string>& dictionary() {
    static const std::vector<std::string> kWords{
        "\"dtype\"",
        "\"shape\"",
        "\"data_offsets\"",
        "\"F32\"",
        "\"F16\"",
        "[0,0]",
        "[]",
        "{}",
        "null",
        "-1",
        "18446744073709551615",
        "9223372036854775808",
        "1e308",
        "\"",
        "\\u0000",
        "\\ud800",
        "../",
        "\xFF",
        "\xC0\xAF",
        "GGUF",
        "__metadata__",
        ".safetensors",
        "[[",
        "}}",
        ",",
        ":",
        "\n",
        "\r\n",
        "\"\"",
        "\"type\"",
        "\"vocab\"",
        "\"merges\"",
        "\\p{L}+",
        "(a+)+$",
        "(?",
        "[UNK]",
        "##",
        std::string(8, '\xFF'),
        std::string(8, '\0'),
        fixtures::littleEndian<std::uint64_t>(std::uint64_t{1} << 40),
        fixtures::littleEndian<std::uint64_t>(std::uint64_t{1} << 63),
        fixtures::littleEndian<std::uint32_t>(9)};
    return kWords;
}

/// Never truncates to nothing: file systems write such files out at once, which takes longer than all else.
inline void overwrite(const std::string& path, const std::string& bytes) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const auto size = static_cast<ssize_t>(bytes.size());
    const bool fine =
        ::pwrite(file, bytes.data(), bytes.size(), 0) == size && ::ftruncate(file, size) == 0;
    ::close(file);
    if (!fine) {
        qFatal("cannot write the mutated file");
    }
}

inline std::string mutated(const std::string& seed, RandomStream& random) {
    std::string out = seed;
    const auto changes = 1 + random.below(4);
    for (std::uint64_t i = 0; i < changes; ++i) {
        const auto at = random.below(out.size() + 1);
        const auto& word = dictionary()[random.below(dictionary().size())];
        switch (random.below(8)) {
        case 0:
            out = out.substr(0, at);
            break;
        case 1:
            out.insert(at, word);
            break;
        case 2:
            out.replace(at, word.size(), word);
            break;
        case 3:
            out.erase(at, 1 + random.below(16));
            break;
        case 4:
            out.insert(at, out.substr(at, random.below(64)));
            break;
        default:
            if (at < out.size()) {
                out[at] = static_cast<char>(
                    random.below(3) == 0 ? random.below(256) : out[at] ^ (1 << random.below(8)));
            }
        }
    }
    return out;
}

/// An error of a reader names the file and can be shown.
template <typename T>
void checkFailure(const Result<T>& result) {
    if (!result.ok()) {
        QVERIFY(!result.cancelled());
        QVERIFY2(!result.error().args.at("file").empty(), fixtures::describe(result).c_str());
        QVERIFY(!errorToJson(result.error())
                     .dump(-1, ' ', false, Json::error_handler_t::replace)
                     .empty());
    }
}

}  // namespace pareto::fuzz
