#include "engine/text/chat_template.h"

#include <array>

#include "engine/io/content.h"
#include "engine/io/utf8.h"
#include "engine/text/jinja/builtins.h"
#include "engine/text/jinja/interpreter.h"
#include "engine/text/jinja/parser.h"
#include "engine/text/json_fields.h"
#include "engine/text/text_error.h"

namespace pareto::text {
namespace {

using OrderedJson = nlohmann::ordered_json;
using jinja::Arguments;
using jinja::Failure;
using jinja::Value;

constexpr std::size_t kMaxTemplateBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20;
constexpr std::size_t kMaxTimeText = 256;

constexpr const char* kChatMl =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + "
    "'<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|im_start|>assistant\\n' }}{% endif %}";

Error invalid(const std::string& file, const Failure& failure) {
    const std::string where = failure.line > 0 ? ", line " + std::to_string(failure.line) : "";
    return tokenizerError(
        file, io::replaceInvalidUtf8("its chat template" + where + ": " + failure.reason));
}

Value raise(const Arguments& arguments) {
    throw Failure{arguments.positional.empty() ? "the template refuses the conversation"
                                               : arguments.positional.front().text()};
}

jinja::Function timeFunction(std::time_t now) {
    return [now](const Arguments& arguments) {
        std::tm parts{};
        ::localtime_r(&now, &parts);
        std::array<char, kMaxTimeText> buffer{};
        const std::string format = arguments.positional.empty() ? "" : arguments.positional.front().text();
        const auto size = std::strftime(buffer.data(), buffer.size(), format.c_str(), &parts);
        return Value(std::string(buffer.data(), size));
    };
}

/// Where a template stands and what it says.
struct Source {
    std::string text;
    std::string file;
    OrderedJson tokens = OrderedJson::object();
};

/// chat_template of a tokenizer_config.json: one, or a list of named ones.
std::string templateIn(const Json& config, bool withTools) {
    const Json& value = fieldOf(config, "chat_template");
    if (value.is_string()) {
        return value.get<std::string>();
    }
    std::string out;
    for (const auto& entry : value.is_array() ? value : Json::array()) {
        const auto name = textOf(entry, "name");
        if (name == "tool_use" && withTools) {
            return textOf(entry, "template");
        }
        if (name == "default" || out.empty()) {
            out = textOf(entry, "template");
        }
    }
    return out;
}

OrderedJson tokensIn(const Json& config, const Json& map) {
    OrderedJson out = OrderedJson::object();
    for (const char* key : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token",
                            "mask_token"}) {
        auto token = tokenIn(config, key);
        token = token.empty() ? tokenIn(map, key) : token;
        if (!token.empty()) {
            out[key] = token;
        }
    }
    return out;
}

Result<Json> readOptional(const io::ModelRoot& root, const char* name) {
    if (!root.exists(name)) {
        return Json::object();
    }
    PARETO_TRY(const auto text, root.readText(name, kMaxConfigBytes));
    return parseJson(text, root.path(name));
}

Source sourceOfGguf(const io::ModelFiles& files) {
    const io::GgufMetadata& metadata = files.gguf();
    Source out{textOf(metadata.values, "tokenizer.chat_template"), files.files().front()};
    const auto tokens = metadata.strings.find("tokenizer.ggml.tokens");
    for (const auto& [name, key] :
         {std::pair{"bos_token", "tokenizer.ggml.bos_token_id"},
          std::pair{"eos_token", "tokenizer.ggml.eos_token_id"},
          std::pair{"unk_token", "tokenizer.ggml.unknown_token_id"},
          std::pair{"pad_token", "tokenizer.ggml.padding_token_id"}}) {
        const Json& id = fieldOf(metadata.values, key);
        if (tokens != metadata.strings.end() && id.is_number_integer() && id.get<std::int64_t>() >= 0 &&
            id.get<std::uint64_t>() < tokens->second.size()) {
            out.tokens[name] = tokens->second[id.get<std::size_t>()];
        }
    }
    return out;
}

/// The text is empty when the model has no template.
Result<Source> sourceOf(const io::ModelFiles& files, bool withTools) {
    if (files.format() == io::Format::Gguf) {
        return sourceOfGguf(files);
    }
    PARETO_TRY(const auto root, io::ModelRoot::open(files.transformerFolder()));
    PARETO_TRY(const Json config, readOptional(root, "tokenizer_config.json"));
    PARETO_TRY(const Json map, readOptional(root, "special_tokens_map.json"));
    Source out{templateIn(config, withTools), root.path("tokenizer_config.json"), tokensIn(config, map)};
    if (root.exists("chat_template.jinja")) {
        PARETO_TRY(out.text, root.readText("chat_template.jinja", kMaxTemplateBytes));
        out.file = root.path("chat_template.jinja");
    }
    return out;
}

}  // namespace

struct ChatTemplate::State {
    std::string file;
    OrderedJson tokens;
    jinja::Body body;
};

ChatTemplate::ChatTemplate(std::unique_ptr<State> state) : m_state(std::move(state)) {}
ChatTemplate::~ChatTemplate() = default;

Result<std::shared_ptr<const ChatTemplate>> ChatTemplate::parse(const std::string& source,
                                                                const std::string& file,
                                                                OrderedJson tokens) {
    auto state = std::make_unique<State>();
    state->file = file;
    state->tokens = std::move(tokens);
    try {
        if (source.size() > kMaxTemplateBytes) {
            throw Failure{"it is longer than 1 MiB"};
        }
        state->body = jinja::parse(io::replaceInvalidUtf8(source));
    } catch (const Failure& failure) {
        return invalid(file, failure);
    }
    return std::shared_ptr<const ChatTemplate>(new ChatTemplate(std::move(state)));
}

Result<std::string> ChatTemplate::apply(const OrderedJson& messages, const ChatOptions& options) const {
    try {
        jinja::Dict globals;
        const auto put = [&](const std::string& name, Value value) {
            globals.emplace_back(name, std::move(value));
        };
        const auto putAll = [&](const OrderedJson& names) {
            for (const auto& [name, value] : names.items()) {
                put(name, Value::fromJson(value));
            }
        };
        putAll(m_state->tokens);
        putAll(options.variables);
        put("messages", Value::fromJson(messages));
        put("tools", Value::fromJson(options.tools));
        put("documents", Value::fromJson(options.documents));
        put("add_generation_prompt", Value(options.addGenerationPrompt));
        put("raise_exception", jinja::Function(raise));
        put("strftime_now", timeFunction(options.now.value_or(std::time(nullptr))));
        put("range", jinja::Function(jinja::rangeOf));
        put("dict", jinja::Function([](const Arguments& arguments) { return Value(arguments.named); }));
        return jinja::render(m_state->body, std::move(globals));
    } catch (const Failure& failure) {
        return invalid(m_state->file, failure);
    }
}

Result<std::shared_ptr<const ChatTemplate>> loadChatTemplate(const io::ModelFiles& files,
                                                             bool withTools) {
    PARETO_TRY(const Source source, sourceOf(files, withTools));
    if (source.text.empty()) {
        return std::shared_ptr<const ChatTemplate>();
    }
    return ChatTemplate::parse(source.text, source.file, source.tokens);
}

bool hasChatTemplate(const io::ModelFiles& files) {
    const auto source = sourceOf(files, false);
    return source.ok() && !source->text.empty();
}

Result<std::string> applyChatTemplate(const io::ModelFiles& files,
                                      const std::vector<ChatMessage>& messages,
                                      const ChatOptions& options) {
    PARETO_TRY(auto own, loadChatTemplate(files, !options.tools.is_null()));
    if (own == nullptr) {
        PARETO_TRY(own, ChatTemplate::parse(kChatMl, "ChatML"));
    }
    OrderedJson list = OrderedJson::array();
    for (const auto& message : messages) {
        list.push_back({{"role", message.role}, {"content", message.content}});
    }
    return own->apply(list, options);
}

}  // namespace pareto::text
