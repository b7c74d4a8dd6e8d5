// Reads JSON lines on stdin, writes JSON lines on stdout: chat templates under test for the
// differential scripts. A request is {"template": …, "messages": …, "generation": …, "tools": …,
// "tokens": …, "variables": …, "now": …}; the answer is {"text"} or {"error"}.
#include <iostream>
#include <string>

#include "engine/text/chat_template.h"

using namespace pareto;
using OrderedJson = nlohmann::ordered_json;

namespace {

OrderedJson answer(const OrderedJson& request) {
    const auto made = text::ChatTemplate::parse(request["template"].get<std::string>(), "template",
                                                request.value("tokens", OrderedJson::object()));
    if (!made.ok()) {
        return {{"error", errorMessage(made.error())}};
    }
    text::ChatOptions options;
    options.addGenerationPrompt = request.value("generation", false);
    options.tools = request.value("tools", OrderedJson());
    options.variables = request.value("variables", OrderedJson::object());
    options.now = request.value("now", std::time_t{0});
    const auto text = made.value()->apply(request["messages"], options);
    return text.ok() ? OrderedJson{{"text", text.value()}}
                     : OrderedJson{{"error", errorMessage(text.error())}};
}

}  // namespace

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        std::cout << answer(OrderedJson::parse(line)).dump() << std::endl;
    }
    return 0;
}
