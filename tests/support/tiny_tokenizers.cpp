#include "tests/support/tiny_tokenizers.h"

#include <array>
#include <vector>

#include "engine/core/json.h"
#include "tests/support/tiny_models.h"

namespace pareto::test {
namespace {

Json addedToken(int id, const std::string& text) {
    return {{"id", id},         {"content", text},  {"single_word", false}, {"lstrip", false},
            {"rstrip", false},  {"normalized", false}, {"special", true}};
}

std::vector<std::string> wordPieceVocabulary() {
    std::vector<std::string> words{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    for (const std::string prefix : {"", "##"}) {
        for (char c = 'a'; c <= 'z'; ++c) {
            words.push_back(prefix + c);
        }
        for (char c = '0'; c <= '9'; ++c) {
            words.push_back(prefix + c);
        }
    }
    for (const char* word : {".", ",", "!", "?", "the", "a ", "ignore", "previous", "instructions",
                             "please", "weather", "today", "system", "prompt", "##ing", "##s", "##ed"}) {
        if (std::string(word).back() != ' ') {
            words.emplace_back(word);
        }
    }
    return words;
}

Json templatePart(const char* kind, const std::string& id, int type) {
    return {{kind, {{"id", id}, {"type_id", type}}}};
}

Json bertTemplate() {
    const auto special = [](int type, const char* text) {
        return templatePart("SpecialToken", text, type);
    };
    const auto specialToken = [](const char* text, int id) {
        return Json{{"id", text}, {"ids", {id}}, {"tokens", {text}}};
    };
    return {{"type", "TemplateProcessing"},
            {"single", Json::array({special(0, "[CLS]"), templatePart("Sequence", "A", 0),
                                    special(0, "[SEP]")})},
            {"pair", Json::array({special(0, "[CLS]"), templatePart("Sequence", "A", 0),
                                  special(0, "[SEP]"), templatePart("Sequence", "B", 1),
                                  special(1, "[SEP]")})},
            {"special_tokens",
             {{"[CLS]", specialToken("[CLS]", 2)}, {"[SEP]", specialToken("[SEP]", 3)}}}};
}

std::string utf8(int codepoint) {
    std::string out;
    if (codepoint < 0x80) {
        out += static_cast<char>(codepoint);
    } else {
        out += static_cast<char>(0xC0 | (codepoint >> 6));
        out += static_cast<char>(0x80 | (codepoint & 0x3F));
    }
    return out;
}

/// GPT-2's bytes_to_unicode: printable bytes stand for themselves, the others follow U+0100.
std::array<std::string, 256> byteCharacters() {
    std::array<std::string, 256> characters;
    int next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
        const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
        characters[static_cast<std::size_t>(byte)] = utf8(printable ? byte : next++);
    }
    return characters;
}

}  // namespace

int writeWordPiece(const std::string& folder) {
    const auto words = wordPieceVocabulary();
    std::string list;
    Json vocabulary = Json::object();
    for (std::size_t i = 0; i < words.size(); ++i) {
        list += words[i] + "\n";
        vocabulary[words[i]] = i;
    }
    writeText(folder + "/vocab.txt", list);
    Json added = Json::array();
    for (int id = 0; id < 5; ++id) {
        added.push_back(addedToken(id, words[static_cast<std::size_t>(id)]));
    }
    const Json tokenizer{
        {"version", "1.0"},
        {"truncation", nullptr},
        {"padding", nullptr},
        {"added_tokens", added},
        {"normalizer",
         {{"type", "BertNormalizer"},
          {"clean_text", true},
          {"handle_chinese_chars", true},
          {"strip_accents", nullptr},
          {"lowercase", true}}},
        {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
        {"post_processor", bertTemplate()},
        {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
        {"model",
         {{"type", "WordPiece"},
          {"unk_token", "[UNK]"},
          {"continuing_subword_prefix", "##"},
          {"max_input_chars_per_word", 100},
          {"vocab", vocabulary}}}};
    writeText(folder + "/tokenizer.json", tokenizer.dump());
    const Json config{{"tokenizer_class", "BertTokenizer"}, {"do_lower_case", true},
                      {"pad_token", "[PAD]"},               {"unk_token", "[UNK]"},
                      {"cls_token", "[CLS]"},               {"sep_token", "[SEP]"},
                      {"mask_token", "[MASK]"},             {"model_max_length", 64}};
    writeText(folder + "/tokenizer_config.json", config.dump());
    return static_cast<int>(words.size());
}

int writeByteLevelBpe(const std::string& folder) {
    const std::array<std::string, 3> specials{"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
    const auto bytes = byteCharacters();
    Json vocabulary = Json::object();
    Json added = Json::array();
    int next = 0;
    for (const auto& special : specials) {
        added.push_back(addedToken(next, special));
        vocabulary[special] = next++;
    }
    for (const auto& character : bytes) {
        vocabulary[character] = next++;
    }
    Json merges = Json::array();
    const std::string space = bytes[' '];
    const std::vector<std::pair<std::string, std::string>> pairs{
        {"h", "e"}, {"l", "l"}, {"t", "he"}, {space, "the"}, {"i", "n"}, {"in", "g"}, {"e", "r"}};
    for (const auto& [left, right] : pairs) {
        merges.push_back(left + " " + right);
        vocabulary[left + right] = next++;
    }
    const Json tokenizer{
        {"version", "1.0"},
        {"truncation", nullptr},
        {"padding", nullptr},
        {"added_tokens", added},
        {"normalizer", nullptr},
        {"pre_tokenizer",
         {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}}},
        {"post_processor", nullptr},
        {"decoder",
         {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}}},
        {"model",
         {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"vocab", vocabulary},
          {"merges", merges}}}};
    writeText(folder + "/tokenizer.json", tokenizer.dump());
    const Json config{{"tokenizer_class", "GPT2Tokenizer"}, {"bos_token", specials[1]},
                      {"eos_token", specials[2]},           {"unk_token", specials[0]},
                      {"pad_token", specials[2]},           {"model_max_length", 128}};
    writeText(folder + "/tokenizer_config.json", config.dump());
    return next;
}

}  // namespace pareto::test
