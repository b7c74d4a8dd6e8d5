#include "engine/text/decoder.h"

#include "engine/io/utf8.h"
#include "engine/text/json_fields.h"
#include "engine/text/pre_tokenizer.h"
#include "engine/text/text_error.h"
#include "engine/text/unicode.h"

namespace pareto::text {
namespace {

void replaceAll(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

/// The reference takes back the spaces that splitting English put in, token by token.
void cleanUp(std::string& text) {
    for (const auto& [from, to] :
         {std::pair{" .", "."}, std::pair{" ?", "?"}, std::pair{" !", "!"}, std::pair{" ,", ","},
          std::pair{" ' ", "'"}, std::pair{" n't", "n't"}, std::pair{" 'm", "'m"},
          std::pair{" do not", " don't"}, std::pair{" 's", "'s"}, std::pair{" 've", "'ve"},
          std::pair{" 're", "'re"}}) {
        replaceAll(text, from, to);
    }
}

/// A token whose characters do not all stand for bytes is taken as it is.
void appendBytes(std::string& out, const std::string& token) {
    std::string bytes;
    for (const Char& c : decodeUtf8(token)) {
        const int byte = byteOfChar(c.code);
        if (byte < 0) {
            out += token;
            return;
        }
        bytes += static_cast<char>(byte);
    }
    out += bytes;
}

}  // namespace

Result<Decoder> Decoder::read(const Json& json, const std::string& file) {
    Decoder out;
    if (json.is_null()) {
        return out;
    }
    const std::string type = textOf(json, "type");
    if (type == "WordPiece") {
        out.m_kind = Kind::WordPiece;
        out.m_prefix = textOf(json, "prefix", "##");
        out.m_cleanup = flagOf(json, "cleanup", true);
        return out;
    }
    if (type == "ByteLevel") {
        out.m_kind = Kind::ByteLevel;
        return out;
    }
    return tokenizerError(file,
                          "its decoder \"" + type + "\" is not known (known: WordPiece, ByteLevel)");
}

std::string Decoder::decode(const std::vector<const std::string*>& tokens) const {
    std::string out;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        std::string token = *tokens[i];
        if (m_kind == Kind::ByteLevel) {
            appendBytes(out, token);
            continue;
        }
        const bool continues = m_kind == Kind::WordPiece && i > 0 && token.starts_with(m_prefix);
        if (continues) {
            token.erase(0, m_prefix.size());
        } else if (i > 0) {
            token.insert(0, 1, ' ');
        }
        if (m_kind == Kind::WordPiece && m_cleanup) {
            cleanUp(token);
        }
        out += token;
    }
    return m_kind == Kind::ByteLevel ? io::replaceInvalidUtf8(std::move(out)) : out;
}

}  // namespace pareto::text
