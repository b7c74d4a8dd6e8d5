#pragma once

// What processes share that are one rank of a test: they write what they do, a line each, and at last what went wrong.
#include <csignal>
#include <cstdio>
#include <string>

#include "engine/core/result.h"

namespace pareto::test {

inline void say(const std::string& text) {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
}

/// The whole of main(): `run` and its words.
inline int runRank(Status (*run)(char** words), char** words) {
    // As the program does: Gloo writes to connections whose other end is gone.
    std::signal(SIGPIPE, SIG_IGN);
    const auto status = run(words);
    if (!status.ok()) {
        say("error " + errorMessage(status.error()));
        return 1;
    }
    return 0;
}

}  // namespace pareto::test
