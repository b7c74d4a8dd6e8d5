#include <bit>
#include <cmath>
#include <limits>
#include <set>

#include <QtTest>

#include "engine/core/dtype.h"
#include "engine/core/hash.h"
#include "engine/core/hmac.h"
#include "engine/core/json.h"
#include "engine/core/progress.h"
#include "engine/core/random.h"
#include "engine/core/shape.h"
#include "engine/core/version.h"

using namespace pareto;

namespace {

/// binary16 by its definition (IEEE 754-2008, 3.6): sign, 5 exponent bits, 10 fraction bits.
double halfByDefinition(std::uint16_t bits) {
    const double sign = bits & 0x8000 ? -1.0 : 1.0;
    const int exponent = (bits >> 10) & 0x1F;
    const int fraction = bits & 0x3FF;
    if (exponent == 31) {
        return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                             : sign * std::numeric_limits<double>::infinity();
    }
    return exponent == 0 ? sign * std::ldexp(fraction, -24)
                         : sign * std::ldexp(1024 + fraction, exponent - 25);
}

bool parses(const std::string& text) { return parseJson(text, "test").ok(); }

}  // namespace

class TestCore : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyHalfIsExact() {
        for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
            const auto half = static_cast<std::uint16_t>(bits);
            const float value = halfToFloat(half);
            const double expected = halfByDefinition(half);
            if (std::isnan(expected)) {
                QVERIFY(std::isnan(value));
                QVERIFY(std::isnan(halfToFloat(floatToHalf(value))));
                continue;
            }
            QVERIFY2(static_cast<double>(value) == expected, qPrintable(QString::number(bits)));
            QVERIFY2(floatToHalf(value) == half, qPrintable(QString::number(bits)));
        }
    }

    /// The float half-way between two neighbours goes to the even one; a step beside it, to the nearer.
    void halvesRoundToNearestEven() {
        for (std::uint16_t half = 0; half < 0x7BFF; ++half) {
            const double low = halfByDefinition(half);
            const double high = halfByDefinition(static_cast<std::uint16_t>(half + 1));
            const auto middle = static_cast<float>((low + high) / 2.0);
            const auto even = static_cast<std::uint16_t>(half % 2 == 0 ? half : half + 1);
            QVERIFY2(floatToHalf(middle) == even, qPrintable(QString::number(half)));
            QVERIFY(floatToHalf(std::nextafter(middle, 0.0F)) == half);
            QVERIFY(floatToHalf(std::nextafter(middle, 1e9F)) == half + 1);
            QVERIFY(floatToHalf(-middle) == (even | 0x8000));
        }
        QVERIFY(floatToHalf(65519.0F) == 0x7BFF);
        QVERIFY(floatToHalf(65520.0F) == 0x7C00);
        QVERIFY(floatToHalf(std::numeric_limits<float>::infinity()) == 0x7C00);
        QVERIFY(floatToHalf(1e-30F) == 0);
    }

    void bfloatsRoundToNearestEven() {
        for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
            const auto bfloat = static_cast<std::uint16_t>(bits);
            const float value = bfloatToFloat(bfloat);
            if (std::isnan(value)) {
                QVERIFY(std::isnan(bfloatToFloat(floatToBfloat(value))));
                continue;
            }
            QVERIFY(floatToBfloat(value) == bfloat);
            if ((bits & 0x7FFF) < 0x7F7F) {
                const auto middle = std::bit_cast<float>((bits << 16) | 0x8000U);
                QVERIFY(floatToBfloat(middle) == (bits % 2 == 0 ? bits : bits + 1));
                QVERIFY(floatToBfloat(std::bit_cast<float>((bits << 16) | 0x7FFFU)) == bits);
                QVERIFY(floatToBfloat(std::bit_cast<float>((bits << 16) | 0x8001U)) == bits + 1);
            }
        }
        // A NaN whose low bits alone say so must not become an infinity.
        QVERIFY(std::isnan(bfloatToFloat(floatToBfloat(std::bit_cast<float>(0x7F800001U)))));
    }

    void dtypesGoBothWays() {
        for (const auto type : {DType::F64, DType::F32, DType::F16, DType::BF16, DType::F8E4M3, DType::F8E5M2,
                                DType::I64, DType::I32, DType::I16, DType::I8, DType::U8, DType::Bool}) {
            DType back{};
            QVERIFY(dtypeFromName(dtypeName(type), back) && back == type);
            QVERIFY(dtypeBytes(type) >= 1 && dtypeBytes(type) <= 8);
        }
        DType none{};
        QVERIFY(!dtypeFromName("F31", none));
    }

    /// Random123's known answers, kat_vectors: philox4x32 10 rounds. A stream of this class cannot be
    /// set to any counter: seed 0 gives key 0, and counters 2 and 3 are the purpose's hash.
    void philoxMatchesAnIndependentImplementation() {
        const auto philox = [](std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
            for (int round = 0; round < 10; ++round) {
                const std::uint64_t p0 = std::uint64_t{0xD2511F53U} * counter[0];
                const std::uint64_t p1 = std::uint64_t{0xCD9E8D57U} * counter[2];
                counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0],
                           static_cast<std::uint32_t>(p1),
                           static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1],
                           static_cast<std::uint32_t>(p0)};
                key = {key[0] + 0x9E3779B9U, key[1] + 0xBB67AE85U};
            }
            return counter;
        };
        using Words = std::array<std::uint32_t, 4>;
        QVERIFY((philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
        QVERIFY((philox({~0U, ~0U, ~0U, ~0U}, {~0U, ~0U}) ==
                 Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
        QVERIFY((philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
                 Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
        // FNV-1a of "" is its offset basis.
        RandomStream stream(0x299f31d0a4093822ULL, "");
        for (std::uint32_t block = 0; block < 5; ++block) {
            const auto words = philox({block, 0, 0x84222325, 0xcbf29ce4}, {0xa4093822, 0x299f31d0});
            for (const auto word : words) {
                QVERIFY(stream.next() == word);
            }
        }
    }

    void streamsAreIndependentAndFair() {
        RandomStream a(1, "a");
        RandomStream again(1, "a");
        RandomStream b(1, "b");
        int equal = 0;
        for (int i = 0; i < 1000; ++i) {
            const auto value = a.next();
            QVERIFY(value == again.next());
            equal += value == b.next() ? 1 : 0;
        }
        QVERIFY(equal < 3);
        std::array<int, 7> counts{};
        double sum = 0.0;
        double squares = 0.0;
        for (int i = 0; i < 70000; ++i) {
            ++counts[b.below(7)];
            const double u = b.uniform();
            QVERIFY(u >= 0.0 && u < 1.0);
            const double n = b.normal();
            sum += n;
            squares += n * n;
        }
        for (const int count : counts) {
            QVERIFY2(std::abs(count - 10000) < 500, qPrintable(QString::number(count)));
        }
        QVERIFY(std::abs(sum / 70000) < 0.02 && std::abs(squares / 70000 - 1.0) < 0.03);
    }

    // RFC 4231, cases 1 and 2
    void hmacVectors() {
        QCOMPARE(hmacSha256Hex(std::string(20, '\x0b'), "Hi There"),
                 std::string("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
        QCOMPARE(hmacSha256Hex("Jefe", "what do ya want for nothing?"),
                 std::string("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
        QCOMPARE(randomHex(16).size(), std::size_t{32});
        QVERIFY(randomHex(16) != randomHex(16));
    }

    // FIPS 180-4 examples
    void sha256Vectors() {
        QCOMPARE(sha256Hex(""),
                 std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        QCOMPARE(sha256Hex("abc"),
                 std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        Sha256 pieces;
        for (int i = 0; i < 1000; ++i) {
            pieces.add(std::string(1000, 'a'));
        }
        QCOMPARE(pieces.hex(),
                 std::string("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
    }

    void jsonIsStrict() {
        QVERIFY(parses(R"({"a": [1, 2.5, "x", null, true]})"));
        QVERIFY(!parses(""));
        QVERIFY(!parses("{"));
        QVERIFY(!parses("[1,]"));
        QVERIFY(!parses("{} x"));
        QVERIFY(!parses("// no\n{}"));
        QVERIFY(!parses("NaN"));
        QVERIFY(!parses("{'a': 1}"));
        QVERIFY(!parses("\"\xff\""));
        const auto twice = parseJson(R"({"a": 1, "b": {"k": 1, "k": 2}})", "file.json");
        QVERIFY(!twice.ok() && twice.error().code == ErrorCode::JsonInvalid);
        QCOMPARE(twice.error().args.at("file"), std::string("file.json"));
        QVERIFY(twice.error().args.at("reason").find("\"k\"") != std::string::npos);
        QVERIFY(parseJson(std::string(64, '[') + std::string(64, ']'), "t").ok());
        QVERIFY(!parseJson(std::string(65, '[') + std::string(65, ']'), "t").ok());
        QVERIFY(!parseJson(std::string(2000000, '['), "t").ok());
        QVERIFY(!parseJson("[1,2,3]", "t", {.maxDepth = 8, .maxBytes = 3}).ok());
    }

    void readersNameTheField() {
        const Json json{{"n", 5}, {"t", "x"}, {"big", std::uint64_t{18446744073709551615ULL}}, {"f", 1.5}};
        const auto failing = [&](auto&& read) {
            JsonReader reader(json, ErrorCode::RecipeInvalid, "file", "top");
            read(reader);
            const auto status = reader.status();
            return status.ok() ? std::string() : status.error().args.at("field");
        };
        QCOMPARE(failing([](JsonReader& r) { r.integer("n", 0, 0, 10); }), std::string());
        QCOMPARE(failing([](JsonReader& r) { r.integer("n", 0, 6, 10); }), std::string("top.n"));
        QCOMPARE(failing([](JsonReader& r) { r.integer("big", 0, 0, INT64_MAX); }), std::string("top.big"));
        QCOMPARE(failing([](JsonReader& r) { r.integer("f", 0, 0, 9); }), std::string("top.f"));
        QCOMPARE(failing([](JsonReader& r) { r.number("t", 0, 0, 9); }), std::string("top.t"));
        QCOMPARE(failing([](JsonReader& r) { r.text("n"); }), std::string("top.n"));
        QCOMPARE(failing([](JsonReader& r) { r.boolean("n", true); }), std::string("top.n"));
        QCOMPARE(failing([](JsonReader& r) { r.require("missing"); }), std::string("top.missing"));
        QCOMPARE(failing([](JsonReader& r) { r.allowOnly({"n", "t", "f"}); }), std::string("top.big"));
        // The first failure is kept.
        QCOMPARE(failing([](JsonReader& r) {
                     r.text("n");
                     r.require("missing");
                 }),
                 std::string("top.n"));
    }

    void errorsTravel() {
        const Error error = makeError(ErrorCode::FileTruncated,
                                      {{"file", "f"}, {"expected", "9"}, {"found", "3"}}, "detail");
        QCOMPARE(errorMessage(error),
                 std::string("f is cut short: 9 bytes expected, 3 found. Get it again."));
        const Error back = errorFromJson(errorToJson(error));
        QVERIFY(back.code == error.code && back.args == error.args && back.detail == error.detail);
        QCOMPARE(fillTemplate("{a} and {b} {", {{"a", "{b}"}}), std::string("{b} and {b} {"));
        std::set<std::string_view> names;
        for (const auto code : allErrorCodes()) {
            ErrorCode found{};
            QVERIFY(errorFromName(errorName(code), found) && found == code);
            QVERIFY(names.insert(errorName(code)).second);
            QVERIFY(!errorTemplate(code).empty());
        }
        QVERIFY(errorKind(ErrorCode::DiskFull) == ErrorKind::Resource);
    }

    void stagesGoBothWays() {
        for (int i = 0; i < kStageCount; ++i) {
            Stage back{};
            QVERIFY(stageFromName(stageName(static_cast<Stage>(i)), back));
            QVERIFY(back == static_cast<Stage>(i));
            QVERIFY(i == 0 || !stageText(static_cast<Stage>(i)).empty());
        }
    }

    void shapesCount() {
        QVERIFY(Shape({3, 4}).elements() == 12 && Shape().elements() == 1);
        QCOMPARE(Shape({384, 1536}).text(), std::string("384×1536"));
        QVERIFY(Shape({0, 4}).elements() == 0);
    }

    void theVersionIsKnown() {
        QVERIFY(!programVersion().empty() && !programCommit().empty());
    }
};

QTEST_GUILESS_MAIN(TestCore)
#include "tst_core.moc"
