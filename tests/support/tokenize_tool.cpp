// Reads JSON lines on stdin, writes JSON lines on stdout: the tokenizer under test for the
// differential scripts. A request is {"text": …, "pair": …, "hex": …, "max": …, "special": …,
// "decode": […], "bytes": true}; "hex" gives text that is not UTF-8. The answer is {"ids", "types",
// "offsets", "decoded"}. With --json it writes the tokenizer.json of the model and ends; with --time FILE
// it encodes the lines of a file again and again for a second and writes the bytes a second.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include "engine/text/tokenizer.h"

using namespace pareto;

namespace {

std::string fromHex(const std::string& hex) {
    std::string out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return out;
}

Json answer(const text::Tokenizer& tokenizer, const Json& request) {
    if (request.contains("decode")) {
        return {{"decoded", tokenizer.decode(request["decode"].get<std::vector<std::int32_t>>(),
                                             request.value("skip", true))}};
    }
    text::EncodeOptions options;
    options.maxLength = request.value("max", 0);
    options.addSpecialTokens = request.value("special", true);
    const std::string text =
        request.contains("hex") ? fromHex(request["hex"]) : request.value("text", std::string());
    const auto tokens =
        request.contains("pair")
            ? tokenizer.encodePair(text, request["pair"].get<std::string>(), options)
            : tokenizer.encode(text, options);
    Json offsets = Json::array();
    for (const auto& span : tokens.offsets) {
        offsets.push_back({span.begin, span.end});
    }
    return {{"ids", tokens.ids},
            {"types", tokens.typeIds},
            {"offsets", offsets},
            {"decoded", tokenizer.decode(tokens.ids, true)}};
}

/// Bytes of the file's lines that are encoded in a second.
double throughput(const text::Tokenizer& tokenizer, const char* path) {
    std::vector<std::string> lines;
    std::ifstream file(path);
    std::size_t bytes = 0;
    for (std::string line; std::getline(file, line);) {
        bytes += line.size();
        lines.push_back(std::move(line));
    }
    const auto start = std::chrono::steady_clock::now();
    double seconds = 0.0;
    double rounds = 0.0;
    std::size_t tokens = 0;
    while (seconds < 1.0) {
        for (const auto& line : lines) {
            tokens += tokenizer.encode(line).ids.size();
        }
        rounds += 1.0;
        seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    return tokens > 0 ? static_cast<double>(bytes) * rounds / seconds : 0.0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: tokenize_tool MODEL [--json | --time FILE]\n");
        return 2;
    }
    const auto files = io::ModelFiles::open(argv[1], io::Access::Read);
    const auto tokenizer = files.ok() ? text::loadTokenizer(*files.value())
                                      : files.failure<std::shared_ptr<const text::Tokenizer>>();
    if (!tokenizer.ok()) {
        std::fprintf(stderr, "%s\n", errorMessage(tokenizer.error()).c_str());
        return 4;
    }
    if (argc > 2 && std::string_view(argv[2]) == "--json") {
        std::cout << tokenizer.value()->toTokenizerJson();
        return 0;
    }
    if (argc > 3 && std::string_view(argv[2]) == "--time") {
        std::printf("%.0f\n", throughput(*tokenizer.value(), argv[3]));
        return 0;
    }
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);) {
        std::cout << answer(*tokenizer.value(), Json::parse(line)).dump() << '\n';
    }
    return 0;
}
