#include "engine/dist/roll_call.h"

#include <thread>

#include "engine/core/hmac.h"
#include "engine/core/json.h"
#include "engine/dist/sockets.h"

namespace pareto::dist {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{10};
/// Words of others are not read beyond this.
constexpr std::size_t kMostBytes = 4096;
constexpr std::size_t kMostRolls = std::size_t{1} << 20;
constexpr std::size_t kRandomBytes = 16;

std::string rankText(int rank, const std::string& host) { return "rank " + std::to_string(rank) + " on " + host; }

Error refusal(int rank, const std::string& host, const std::string& field, const std::string& reason) {
    return makeError(ErrorCode::ConfigInvalid, {{"file", rankText(rank, host)}, {"field", field}, {"reason", reason}});
}

Result<Json> parsed(const std::string& text, std::size_t most = kMostBytes) {
    return parseJson(text, "another rank's words", {.maxDepth = 4, .maxBytes = most});
}

/// Empty where it is no text.
std::string wordOf(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string secondsOf(std::chrono::milliseconds time) { return std::to_string(time.count() / 1000) + " s"; }

/// What a rank says to be let in.
struct Attempt {
    int rank = 0;
    int size = 0;
    std::string host;
    std::string version;
    std::string random;

    std::string proof(const std::string& token, const std::string& hello) const {
        return hmacSha256Hex(token, Json{"join", hello, rank, size, host, version, random}.dump());
    }
    std::string welcome(const std::string& token, const std::string& hello) const {
        return hmacSha256Hex(token, Json{"welcome", hello, rank, random}.dump());
    }
};

std::string sessionOf(const std::string& token, const std::string& hello) {
    return hmacSha256Hex(token, Json{"session", hello}.dump());
}

class Caller {
public:
    Caller(KeyStore& store, const GroupOptions& options, std::stop_token stop)
        : m_store(store), m_options(options), m_stop(std::move(stop)), m_end(Clock::now() + options.timeout) {}

    Result<Roll> call() { return m_options.rank == 0 ? letIn() : comeIn(); }

private:
    std::string key(const std::string& name, std::int64_t number = 0) const {
        return "pareto/" + m_options.round + "/" + name + "/" + std::to_string(number);
    }

    Result<Roll> letIn() {
        const std::string hello = randomHex(kRandomBytes);
        Roll roll{sessionOf(m_options.token, hello), std::vector<std::string>(static_cast<std::size_t>(m_options.size))};
        roll.hosts[0] = hostName();
        PARETO_CHECK(m_store.set(slotKey(roll.session, 0), ""));
        PARETO_CHECK(m_store.set(faultKey(roll.session), ""));
        PARETO_CHECK(m_store.set(key("hello"), Json{{"random", hello}, {"size", m_options.size}}.dump()));
        std::vector<std::int64_t> attempts(roll.hosts.size(), 0);
        int missing = m_options.size - 1;
        for (std::int64_t attempt = 1; missing > 0; ++attempt) {
            PARETO_TRY(const auto text, wait(key("join", attempt), [&] { return lateRank(roll, attempts); }));
            if (const auto rank = takeAttempt(text, hello, attempt, attempts, roll); rank.ok()) {
                attempts[static_cast<std::size_t>(rank.value())] = attempt;
                --missing;
            } else if (rank.cancelled()) {
                return Cancelled{};
            }
        }
        for (std::size_t rank = 1; rank < attempts.size(); ++rank) {
            Attempt accepted = m_accepted[rank];
            PARETO_CHECK(m_store.set(key("answer", attempts[rank]),
                                     Json{{"welcome", accepted.welcome(m_options.token, hello)}, {"hosts", roll.hosts}}.dump()));
        }
        return roll;
    }

    /// The rank that may come in. Others hear why not.
    Result<int> takeAttempt(const std::string& text, const std::string& hello, std::int64_t number,
                            const std::vector<std::int64_t>& attempts, Roll& roll) {
        const auto refuse = [&](const std::string& field, const std::string& reason) -> Error {
            m_refused = field + " " + reason;
            // A stranger may be gone again.
            (void)m_store.set(key("answer", number), Json{{"field", field}, {"reason", reason}}.dump()).ok();
            return refusal(0, roll.hosts[0], field, reason);
        };
        const auto json = parsed(text);
        if (!json.ok() || !json.value().is_object()) {
            return refuse("its words", "are not those of a rank");
        }
        const Json& said = json.value();
        JsonReader reader(said, ErrorCode::ConfigInvalid, "another rank");
        Attempt one;
        one.rank = static_cast<int>(reader.integer("rank", 0, 1, m_options.size - 1));
        one.size = static_cast<int>(reader.integer("size", 0, 1, 1 << 20));
        one.host = reader.text("host");
        one.version = reader.text("version");
        one.random = reader.text("random");
        const auto proof = reader.text("proof");
        if (reader.failed() || one.rank == 0) {
            return refuse("RANK", "is none of 1 to " + std::to_string(m_options.size - 1));
        }
        if (proof != one.proof(m_options.token, hello)) {
            return refuse("PARETO_RANKS_TOKEN", "is another one than rank 0's; give all ranks the same");
        }
        if (one.version != m_options.version) {
            return refuse("the program", "is version " + one.version + ", rank 0 is " + m_options.version +
                                             "; install the same everywhere");
        }
        if (one.size != m_options.size) {
            return refuse("WORLD_SIZE", "is " + std::to_string(one.size) + " there and " +
                                            std::to_string(m_options.size) + " at rank 0; give all ranks the same");
        }
        if (attempts[static_cast<std::size_t>(one.rank)] != 0) {
            return refuse("RANK", std::to_string(one.rank) + " is there already; give each rank its own");
        }
        roll.hosts[static_cast<std::size_t>(one.rank)] = one.host;
        m_accepted.resize(roll.hosts.size());
        m_accepted[static_cast<std::size_t>(one.rank)] = one;
        return one.rank;
    }

    Error lateRank(const Roll& roll, const std::vector<std::int64_t>& attempts) const {
        std::string ranks;
        for (std::size_t rank = 1; rank < attempts.size(); ++rank) {
            ranks += attempts[rank] != 0 ? "" : (ranks.empty() ? "" : ", ") + std::to_string(rank);
        }
        return refusal(0, roll.hosts[0], "rank " + ranks,
                       "did not come within " + secondsOf(m_options.timeout) +
                           (m_refused.empty() ? std::string("; was it started, and can it reach MASTER_ADDR?")
                                              : "; one was refused: " + m_refused));
    }

    Result<Roll> comeIn() {
        const auto nobody = [&] {
            return refusal(m_options.rank, hostName(), "rank 0",
                           "at " + m_options.address + " did not call within " + secondsOf(m_options.timeout) +
                               "; was it started, and are the others there?");
        };
        PARETO_TRY(const auto text, wait(key("hello"), nobody));
        PARETO_TRY(const auto said, parsed(text));
        const std::string hello = wordOf(said, "random");
        Attempt own{m_options.rank, m_options.size, hostName(), m_options.version, randomHex(kRandomBytes)};
        Roll roll{sessionOf(m_options.token, hello), {}};
        PARETO_CHECK(m_store.set(slotKey(roll.session, own.rank), ""));
        PARETO_TRY(const auto attempt, m_store.count(key("attempts")));
        PARETO_CHECK(m_store.set(key("join", attempt), Json{{"rank", own.rank},
                                                        {"size", own.size},
                                                        {"host", own.host},
                                                        {"version", own.version},
                                                        {"random", own.random},
                                                        {"proof", own.proof(m_options.token, hello)}}
                                                       .dump()));
        PARETO_TRY(const auto answer, wait(key("answer", attempt), nobody));
        PARETO_TRY(const auto json, parsed(answer, kMostRolls));
        if (json.is_object() && json.contains("reason")) {
            return refusal(own.rank, own.host, wordOf(json, "field"), wordOf(json, "reason"));
        }
        const bool right = json.is_object() && wordOf(json, "welcome") == own.welcome(m_options.token, hello) &&
                           json.contains("hosts") && json["hosts"].is_array() &&
                           json["hosts"].size() == static_cast<std::size_t>(own.size);
        if (!right) {
            return refusal(own.rank, own.host, "rank 0", "at " + m_options.address +
                                                             " does not know the token (PARETO_RANKS_TOKEN)");
        }
        for (const auto& host : json["hosts"]) {
            roll.hosts.push_back(host.is_string() ? host.get<std::string>() : std::string("?"));
        }
        return roll;
    }

    template <typename Late>
    Result<std::string> wait(const std::string& key, const Late& late) {
        for (;;) {
            PARETO_TRY(auto found, m_store.find(key));
            if (found) {
                return std::move(*found);
            }
            if (m_stop.stop_requested()) {
                return Cancelled{};
            }
            if (Clock::now() >= m_end) {
                return late();
            }
            std::this_thread::sleep_for(kLook);
        }
    }

    KeyStore& m_store;
    const GroupOptions& m_options;
    std::stop_token m_stop;
    Clock::time_point m_end;
    std::string m_refused;
    std::vector<Attempt> m_accepted;
};

}  // namespace

std::string slotKey(const std::string& session, int rank) { return session + "/rank/" + std::to_string(rank); }
std::string faultKey(const std::string& session) { return session + "/fault"; }

Result<Roll> callRoll(KeyStore& store, const GroupOptions& options, std::stop_token stop) {
    return Caller(store, options, std::move(stop)).call();
}

}  // namespace pareto::dist
