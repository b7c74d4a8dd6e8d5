#pragma once

#include <cassert>
#include <optional>
#include <utility>
#include <variant>

#include "engine/core/error.h"

namespace pareto {

/// The work was stopped because somebody asked for it. Not an error.
struct Cancelled {};

/// A value, an Error, or Cancelled. There is no conversion to bool on purpose: say ok().
template <typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : m_state(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : m_state(std::in_place_index<1>, std::move(error)) {}
    Result(Cancelled) : m_state(std::in_place_index<2>) {}

    explicit operator bool() const = delete;

    bool ok() const { return m_state.index() == 0; }
    bool cancelled() const { return m_state.index() == 2; }

    T& value() & { return std::get<0>(m_state); }
    const T& value() const& { return std::get<0>(m_state); }
    T&& value() && { return std::get<0>(std::move(m_state)); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    /// Only when neither ok() nor cancelled().
    const Error& error() const { return std::get<1>(m_state); }

    /// Hands a failure (error or cancel) on as a result of another type. Only when !ok().
    template <typename U>
    Result<U> failure() const {
        if (cancelled()) {
            return Cancelled{};
        }
        return error();
    }

private:
    std::variant<T, Error, Cancelled> m_state;
};

struct Done {};
using Status = Result<Done>;

}  // namespace pareto

/// Returns from the enclosing function with the failure of `expression`, or assigns its value.
/// PARETO_TRY(auto file, openFile(path));
#define PARETO_TRY(declaration, expression) \
    PARETO_TRY_IMPL(PARETO_CONCAT(paretoResult_, __LINE__), declaration, expression)
#define PARETO_TRY_IMPL(name, declaration, expression) \
    auto name = (expression);                          \
    if (!name.ok()) {                                  \
        return ::pareto::Forward{name};                \
    }                                                  \
    declaration = std::move(name).value()
/// The same for a Status whose value is of no interest.
#define PARETO_CHECK(expression)                                                        \
    do {                                                                                \
        if (auto paretoStatus_ = (expression); !paretoStatus_.ok()) {                   \
            return ::pareto::Forward{paretoStatus_};                                    \
        }                                                                               \
    } while (false)
#define PARETO_CONCAT_(a, b) a##b
#define PARETO_CONCAT(a, b) PARETO_CONCAT_(a, b)

namespace pareto {

/// Carries a failure into whatever Result the enclosing function returns.
template <typename T>
struct Forward {
    const Result<T>& from;
    template <typename U>
    operator Result<U>() const {
        return from.template failure<U>();
    }
};
template <typename T>
Forward(const Result<T>&) -> Forward<T>;

}  // namespace pareto
