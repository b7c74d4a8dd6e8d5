#pragma once

#include <memory>

#include "engine/text/words.h"

namespace pareto::text {

/// Cuts a text into what people take for one character (UAX #29, extended grapheme clusters).
/// For one thread.
class Graphemes {
public:
    Graphemes();
    ~Graphemes();
    Graphemes(const Graphemes&) = delete;
    Graphemes& operator=(const Graphemes&) = delete;

    void cut(const Chars& chars, std::vector<Range>& out);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace pareto::text
