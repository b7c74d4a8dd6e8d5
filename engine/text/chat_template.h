#pragma once

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/core/result.h"
#include "engine/io/model_files.h"

namespace pareto::text {

struct ChatMessage {
    std::string role;     ///< "system", "user", "assistant", "tool"
    std::string content;
};

struct ChatOptions {
    bool addGenerationPrompt = true;  ///< ends with the opening of the assistant's answer
    nlohmann::ordered_json tools;     ///< list of function descriptions; null: none
    nlohmann::ordered_json documents; ///< for retrieval; null: none
    /// More names that a template may ask for, e.g. {"enable_thinking": false}.
    nlohmann::ordered_json variables = nlohmann::ordered_json::object();
    std::optional<std::time_t> now;   ///< what strftime_now() tells, in local time; the clock's when empty
};

/// A model's chat template: a bounded subset of Jinja as transformers runs it (sandboxed, trim_blocks,
/// lstrip_blocks, break and continue). It has no access to files, environment or objects, and it is
/// stopped when it takes more than 2 million steps, 64 MiB of texts, 8 MiB of output or nests too
/// deep. Known: for, if, set, macro, generation, break, continue, all expressions, the filters, tests
/// and methods that published templates use, namespace, range, dict, raise_exception, strftime_now.
/// Immutable, thread-safe.
class ChatTemplate {
public:
    /// `tokens`: {"bos_token": "<s>", …}. TokenizerInvalid: the line, and the construct that is wrong
    /// or not supported.
    static Result<std::shared_ptr<const ChatTemplate>> parse(const std::string& source,
                                                             const std::string& file,
                                                             nlohmann::ordered_json tokens = {});
    ~ChatTemplate();

    /// `messages`: a list of {"role", "content", …}, as transformers takes them. TokenizerInvalid also
    /// when the template itself refuses the conversation (raise_exception).
    Result<std::string> apply(const nlohmann::ordered_json& messages, const ChatOptions& options) const;

private:
    struct State;
    explicit ChatTemplate(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

/// The model's template: chat_template.jinja, else chat_template of tokenizer_config.json (of several
/// the one named "default", or "tool_use" when `withTools`), else the GGUF's tokenizer.chat_template.
/// Null when the model has none.
Result<std::shared_ptr<const ChatTemplate>> loadChatTemplate(const io::ModelFiles& files,
                                                             bool withTools = false);
/// Whether the model brings a template. One that cannot be used counts.
bool hasChatTemplate(const io::ModelFiles& files);

/// The prompt of a conversation by the model's template; by ChatML when it has none
/// ("<|im_start|>user\n…<|im_end|>\n").
Result<std::string> applyChatTemplate(const io::ModelFiles& files,
                                      const std::vector<ChatMessage>& messages,
                                      const ChatOptions& options = {});

}  // namespace pareto::text
