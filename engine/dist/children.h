#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/result.h"

namespace pareto::dist {

struct ChildOptions {
    std::vector<std::string> command;  ///< program and its words
    /// Variables that are set beside (or instead of) this process's own.
    std::vector<std::pair<std::string, std::string>> environment;
};

/// What children are heard saying. Called from a thread of Children.
struct ChildListener {
    std::function<void(int child, const std::string& line)> said;   ///< a line of its output
    std::function<void(int child, const std::string& how)> ended;   ///< "was killed by signal 9 (Killed)"
};

/// Processes that this one starts and speaks with line by line, numbered from 0. Each has a process group of its own, so
/// that signals of the terminal reach this process alone. A child whose input ends is to end.
class Children {
public:
    explicit Children(ChildListener listener);
    /// Ends the input of all, and kills those that have not ended within 5 s: none is left. The listener hears nothing more.
    ~Children();
    Children(const Children&) = delete;
    Children& operator=(const Children&) = delete;

    /// Answers its number. ConfigInvalid where it cannot be started.
    Result<int> start(const ChildOptions& options);
    /// Whole lines for its input. False where nobody reads them any more.
    bool write(int child, const std::string& lines);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace pareto::dist
