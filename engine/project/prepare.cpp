#include "engine/project/prepare.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

#include "engine/core/random.h"
#include "engine/project/near_copies.h"
#include "engine/project/source_rows.h"
#include "engine/project/text_keys.h"
#include "engine/spec/labels.h"

namespace pareto::project {
namespace {

constexpr std::size_t kGram = 5;  // words
constexpr double kSimilar = 0.8;  // Jaccard of word 5-grams from which two texts are near copies
constexpr std::size_t kMostShown = 20;  // pairs and conflicts in the report
constexpr std::size_t kShownBytes = 120;
constexpr std::int64_t kFewRows = 20;  // a class with fewer in train is worth a note

std::size_t indexOf(Split split) { return static_cast<std::size_t>(split); }

std::string shortened(const std::string& text) {
    if (text.size() <= kShownBytes) {
        return text;
    }
    auto end = kShownBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return text.substr(0, end) + "…";
}

Lengths lengthsOf(std::vector<std::int64_t> words) {
    Lengths out;
    out.rows = static_cast<std::int64_t>(words.size());
    if (words.empty()) {
        return out;
    }
    std::sort(words.begin(), words.end());
    const auto at = [&](double share) {
        return words[static_cast<std::size_t>(share * static_cast<double>(words.size() - 1) + 0.5)];
    };
    out.mean = static_cast<double>(std::accumulate(words.begin(), words.end(), std::int64_t{0})) /
               static_cast<double>(words.size());
    out.shortest = words.front();
    out.median = at(0.5);
    out.p95 = at(0.95);
    out.longest = words.back();
    return out;
}

/// A text while it is looked at.
struct Item {
    Example example;
    std::optional<Split> given;
    std::vector<std::string> words;
    std::string key;
    bool dropped = false;
};

/// Of copies the one that stays: test's before validation's before train's; where no split is given, the
/// first.
int rankOf(const std::optional<Split>& split) { return split ? -static_cast<int>(*split) : 0; }

class Preparer {
public:
    Preparer(const DataOptions& options, Progress& progress, std::stop_token stop)
        : m_options(options), m_progress(progress), m_stop(std::move(stop)) {}

    Result<PreparedData> run() {
        PARETO_TRY(const auto rows, readSource(m_options, m_report, m_progress, m_stop));
        clean(rows);
        dropDuplicates();
        PARETO_CHECK(checkLabels());
        PARETO_CHECK(isDrawn() ? drawAll() : keepGiven());
        PARETO_CHECK(countLeaks());
        PARETO_CHECK(summarize());
        PreparedData out;
        for (auto& item : m_items) {
            out.examples.push_back(std::move(item.example));
        }
        out.report = std::move(m_report);
        return out;
    }

private:
    bool isDrawn() const { return m_report.splitsFrom == "drawn"; }

    void clean(const std::vector<SourceRow>& rows) {
        for (const auto& row : rows) {
            Item item;
            item.example = {cleanText(row.text), cleanText(row.label), Split::Train, row.file,
                            row.line};
            item.given = row.split;
            if (item.example.text.empty()) {
                ++m_report.withoutText;
                continue;
            }
            if (item.example.label.empty()) {
                ++m_report.withoutLabel;
                continue;
            }
            m_report.respaced += item.example.text != row.text ? 1 : 0;
            item.words = wordsOf(item.example.text);
            item.key = textKey(item.words, item.example.text);
            m_items.push_back(std::move(item));
        }
    }

    void sweep() {
        std::erase_if(m_items, [](const Item& item) { return item.dropped; });
    }

    /// Equal after cleaning: one stays, unless labels differ, in which case nobody knows which is right.
    void dropDuplicates() {
        std::unordered_map<std::string, std::vector<std::size_t>> byText;
        for (std::size_t i = 0; i < m_items.size(); ++i) {
            byText[m_items[i].example.text].push_back(i);
        }
        for (std::size_t i = 0; i < m_items.size(); ++i) {
            const auto& same = byText[m_items[i].example.text];
            if (same.size() == 1 || same.front() != i) {
                continue;
            }
            const bool agree = std::all_of(same.begin(), same.end(), [&](std::size_t other) {
                return m_items[other].example.label == m_items[i].example.label;
            });
            if (!agree) {
                m_report.conflicting += static_cast<std::int64_t>(same.size());
                if (m_report.conflicts.size() < kMostShown) {
                    m_report.conflicts.push_back(shortened(m_items[i].example.text));
                }
            }
            const auto kept =
                *std::min_element(same.begin(), same.end(), [&](std::size_t a, std::size_t b) {
                    return std::pair(rankOf(m_items[a].given), a) <
                           std::pair(rankOf(m_items[b].given), b);
                });
            for (const auto other : same) {
                m_items[other].dropped = !agree || other != kept;
                if (agree && other != kept) {
                    ++m_report.duplicates;
                    m_report.duplicatesAcross +=
                        m_items[other].given != m_items[kept].given ? 1 : 0;
                }
            }
        }
        sweep();
    }

    Status checkLabels() {
        std::set<std::string> labels;
        for (const auto& item : m_items) {
            labels.insert(item.example.label);
        }
        m_report.labels = orderedLabels(labels);
        if (m_report.labels.size() < 2) {
            return makeError(ErrorCode::TaskInvalid,
                             {{"field", "label"},
                              {"reason", "has " + std::to_string(m_report.labels.size()) +
                                             " value in column \"" + m_report.labelColumn +
                                             "\" after cleaning; two are needed"}});
        }
        if (m_report.labels.size() * 2 > m_items.size()) {
            return makeError(
                ErrorCode::TaskInvalid,
                {{"field", "label"},
                 {"reason", "column \"" + m_report.labelColumn + "\" has " +
                                std::to_string(m_report.labels.size()) + " values in " +
                                std::to_string(m_items.size()) + " rows: that is no class"}});
        }
        return Done{};
    }

    std::vector<std::vector<std::uint64_t>> grams() const {
        std::vector<std::vector<std::uint64_t>> out;
        for (const auto& item : m_items) {
            out.push_back(wordGrams(item.words, kGram, item.key));
        }
        return out;
    }

    std::string placeOf(const Item& item) const {
        const auto& path = m_report.files[item.example.file].path;
        return std::filesystem::path(path).filename().string() + ":" +
               std::to_string(item.example.line);
    }

    void note(std::size_t a, std::size_t b, double similarity) {
        if (m_report.pairs.size() < kMostShown) {
            m_report.pairs.push_back({placeOf(m_items[a]), placeOf(m_items[b]), similarity,
                                      m_items[a].example.label == m_items[b].example.label,
                                      shortened(m_items[a].example.text)});
        }
    }

    /// Copies and what they are copies of, over all rows.
    Result<Groups> groupCopies() {
        Groups groups(m_items.size());
        PARETO_CHECK(findNearCopies(
            grams(), kSimilar, [&](std::size_t a, std::size_t b) { return !groups.same(a, b); },
            [&](std::size_t a, std::size_t b, double similarity) {
                groups.join(a, b);
                if (isDrawn() || m_items[a].example.split != m_items[b].example.split) {
                    note(a, b, similarity);
                }
            },
            m_progress, m_stop));
        for (std::size_t i = 0; i < m_items.size(); ++i) {
            m_report.copies += groups.sizeOf(i) > 1 ? 1 : 0;
            m_report.copyGroups += groups.sizeOf(i) > 1 && groups.of(i) == i ? 1 : 0;
        }
        return groups;
    }

    /// The rows of each label, shuffled.
    std::map<std::string, std::vector<std::size_t>> shuffled(
        const std::vector<std::size_t>& rows) const {
        std::map<std::string, std::vector<std::size_t>> byLabel;
        for (const auto row : rows) {
            byLabel[m_items[row].example.label].push_back(row);
        }
        for (auto& [label, list] : byLabel) {
            RandomStream random(m_options.seed, "project.split." + label);
            for (std::size_t i = 0; i + 1 < list.size(); ++i) {
                std::swap(list[i],
                          list[i + static_cast<std::size_t>(random.below(list.size() - i))]);
            }
        }
        return byLabel;
    }

    /// Gives shares of each class (all of its rows in train counted) to other splits, from the rows of `pool`.
    void draw(const std::vector<std::size_t>& pool,
              const std::vector<std::pair<Split, double>>& shares) {
        std::map<std::string, std::size_t> all;
        for (const auto& item : m_items) {
            all[item.example.label] += item.example.split == Split::Train ? 1 : 0;
        }
        for (const auto& [label, rows] : shuffled(pool)) {
            const auto most =
                std::min(rows.size(), all[label] - 1);  // a class keeps a row to learn from
            std::size_t next = 0;
            for (const auto& [split, share] : shares) {
                auto wanted =
                    static_cast<std::size_t>(std::llround(share * static_cast<double>(all[label])));
                wanted = share > 0.0 && all[label] >= 3 ? std::max<std::size_t>(1, wanted) : wanted;
                for (; wanted > 0 && next < most; --wanted) {
                    m_items[rows[next++]].example.split = split;
                }
            }
        }
    }

    std::vector<std::size_t> trainRows(const std::function<bool(std::size_t)>& usable) const {
        std::vector<std::size_t> out;
        for (std::size_t i = 0; i < m_items.size(); ++i) {
            if (m_items[i].example.split == Split::Train && usable(i)) {
                out.push_back(i);
            }
        }
        return out;
    }

    Status drawAll() {
        PARETO_TRY(Groups groups, groupCopies());
        m_report.leaks = m_options.leaks.value_or(Leaks::Move);
        if (m_report.leaks == Leaks::Drop) {
            dropCopies(groups);
            groups = Groups(m_items.size());
        }
        const bool apart = m_report.leaks != Leaks::Report;
        const auto alone = [&](std::size_t i) { return !apart || groups.sizeOf(i) == 1; };
        m_report.moved = m_report.leaks == Leaks::Move ? m_report.copies : 0;
        const auto& [train, validation, test] = m_options.shares;
        const double all = train + validation + test;
        draw(trainRows(alone), {{Split::Test, test / all}, {Split::Validation, validation / all}});
        return Done{};
    }

    /// One of each group stays.
    void dropCopies(Groups& groups) {
        std::vector<bool> seen(m_items.size(), false);
        for (std::size_t i = 0; i < m_items.size(); ++i) {
            const auto group = groups.of(i);
            m_items[i].dropped = seen[group];
            m_report.droppedCopies += seen[group] ? 1 : 0;
            seen[group] = true;
        }
        sweep();
    }

    Status keepGiven() {
        std::array<bool, 3> there{};
        for (auto& item : m_items) {
            item.example.split = item.given.value_or(Split::Train);
            there[indexOf(item.example.split)] = true;
        }
        PARETO_TRY(Groups groups, groupCopies());
        m_report.leaks = m_options.leaks.value_or(Leaks::Drop);
        PARETO_CHECK(separate(groups));
        // What is missing is drawn from train, never from rows that have copies there.
        PARETO_TRY(groups, groupCopiesQuietly());
        const auto alone = [&](std::size_t i) { return groups.sizeOf(i) == 1; };
        const auto& [train, validation, test] = m_options.shares;
        std::vector<std::pair<Split, double>> missing;
        double all = train;
        for (const auto& [split, share] :
             {std::pair(Split::Test, test), std::pair(Split::Validation, validation)}) {
            if (!there[indexOf(split)] && share > 0.0) {
                missing.emplace_back(split, share);
                all += share;
                m_report.drawn.emplace_back(nameOf(split));
            }
        }
        for (auto& [split, share] : missing) {
            share /= all;
        }
        draw(trainRows(alone), missing);
        return Done{};
    }

    Result<Groups> groupCopiesQuietly() {
        const auto before = m_report;
        PARETO_TRY(auto groups, groupCopies());
        m_report = before;
        return groups;
    }

    /// Deals with rows that have a copy in another split.
    Status separate(Groups& groups) {
        const auto splitOf = [&](std::size_t i) { return m_items[i].example.split; };
        if (m_report.leaks == Leaks::Move) {
            std::vector<std::array<bool, 3>> in(m_items.size());
            for (std::size_t i = 0; i < m_items.size(); ++i) {
                in[groups.of(i)][indexOf(splitOf(i))] = true;
            }
            for (std::size_t i = 0; i < m_items.size(); ++i) {
                const auto& where = in[groups.of(i)];
                const bool spread = std::count(where.begin(), where.end(), true) > 1;
                m_report.moved += spread && splitOf(i) != Split::Train ? 1 : 0;
                m_items[i].example.split = spread ? Split::Train : splitOf(i);
            }
            return Done{};
        }
        m_report.pairs.clear();  // every pair is looked at again, not one a group
        PARETO_CHECK(findNearCopies(
            grams(), kSimilar,
            [&](std::size_t a, std::size_t b) {
                return splitOf(a) != splitOf(b) && !m_items[a].dropped && !m_items[b].dropped;
            },
            [&](std::size_t a, std::size_t b, double similarity) {
                note(a, b, similarity);
                if (m_report.leaks == Leaks::Drop) {
                    m_items[splitOf(a) < splitOf(b) ? a : b].dropped = true;
                    ++m_report.droppedCopies;
                }
            },
            m_progress, m_stop));
        sweep();
        return Done{};
    }

    /// What is left over, seen afresh: the promise of the report is checked, not assumed.
    Status countLeaks() {
        std::vector<bool> leaks(m_items.size(), false);
        const auto splitOf = [&](std::size_t i) { return m_items[i].example.split; };
        PARETO_CHECK(findNearCopies(
            grams(), kSimilar,
            [&](std::size_t a, std::size_t b) { return splitOf(a) != splitOf(b); },
            [&](std::size_t a, std::size_t b, double similarity) {
                leaks[splitOf(a) > splitOf(b) ? a : b] = true;
                if (m_report.leaks == Leaks::Report && isDrawn()) {
                    note(a, b, similarity);
                }
            },
            m_progress, m_stop));
        m_report.leaking = std::count(leaks.begin(), leaks.end(), true);
        return Done{};
    }

    Status summarize() {
        std::map<std::string, std::size_t> classes;
        for (std::size_t c = 0; c < m_report.labels.size(); ++c) {
            classes[m_report.labels[c]] = c;
        }
        m_report.classes.assign(m_report.labels.size(), {});
        std::array<std::vector<std::int64_t>, 3> words;
        for (const auto& item : m_items) {
            const auto split = indexOf(item.example.split);
            ++m_report.classes[classes[item.example.label]][split];
            words[split].push_back(static_cast<std::int64_t>(item.words.size()));
        }
        for (const auto split : kSplits) {
            m_report.lengths[indexOf(split)] = lengthsOf(std::move(words[indexOf(split)]));
            const bool wanted = split != Split::Validation || m_options.shares[1] > 0.0;
            if (wanted && m_report.rowsOf(split) == 0) {
                return makeError(ErrorCode::DataEmpty, {{"file", m_options.source},
                                                        {"split", std::string(nameOf(split))}});
            }
        }
        writeNotes();
        return Done{};
    }

    void say(DataNote::Kind kind, std::int64_t count, std::string label = {}) {
        m_report.notes.push_back({kind, std::move(label), count});
    }

    void writeNotes() {
        std::int64_t most = 0;
        std::int64_t least = INT64_MAX;
        for (std::size_t c = 0; c < m_report.labels.size(); ++c) {
            const auto& rows = m_report.classes[c];
            most = std::max(most, rows[0]);
            least = std::min(least, rows[0]);
            if (rows[indexOf(Split::Test)] == 0) {
                say(DataNote::ClassNotInTest, 0, m_report.labels[c]);
            }
            if (rows[0] < kFewRows) {
                say(DataNote::ClassFewRows, rows[0], m_report.labels[c]);
            }
        }
        if (least > 0 && most >= 10 * least) {
            say(DataNote::Unbalanced, most / least);
        }
        if (m_report.leaking > 0) {
            say(DataNote::Leaking, m_report.leaking);
        }
        if (m_report.droppedCopies > 0 && !isDrawn()) {
            say(DataNote::CopiesDropped, m_report.droppedCopies);
        }
        for (const auto& split : m_report.drawn) {
            say(DataNote::SplitDrawn, 0, split);
        }
    }

    const DataOptions& m_options;
    Progress& m_progress;
    std::stop_token m_stop;
    DataReport m_report;
    std::vector<Item> m_items;
};

Status checkShares(const DataOptions& options) {
    const auto& shares = options.shares;
    const bool fine = std::all_of(shares.begin(), shares.end(),
                                  [](double share) { return share >= 0.0 && share <= 1.0; }) &&
                      shares[0] > 0.0 && shares[2] > 0.0 &&
                      std::fabs(shares[0] + shares[1] + shares[2] - 1.0) < 1e-6;
    return fine ? Status(Done{})
                : makeError(
                      ErrorCode::TaskInvalid,
                      {{"field", "splits"},
                       {"reason",
                        "must be three shares of train, validation and test that sum to 1, with "
                        "some for train and test"}});
}

}  // namespace

Result<PreparedData> prepareData(const DataOptions& options, Progress& progress,
                                 std::stop_token stop) {
    PARETO_CHECK(checkShares(options));
    return Preparer(options, progress, std::move(stop)).run();
}

}  // namespace pareto::project
