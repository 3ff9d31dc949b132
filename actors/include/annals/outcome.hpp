#pragma once

#include "annals/decision.hpp"
#include "annals/error.hpp"
#include "annals/metadata.hpp"

#include <utility>
#include <variant>

namespace annals {

/// What a command or query came to: a value, a rejection by the domain, or an error of the world.
template <class T>
class [[nodiscard]] outcome {
public:
    using value_type = T;

    outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    outcome(annals::rejection why) : state_(std::in_place_index<1>, std::move(why)) {}
    outcome(annals::error e) : state_(std::in_place_index<2>, std::move(e)) {}

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] bool is_rejected() const noexcept { return state_.index() == 1; }
    [[nodiscard]] bool is_error() const noexcept { return state_.index() == 2; }

    /// Precondition: has_value().
    const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
    T& operator*() & noexcept { return *std::get_if<0>(&state_); }
    T operator*() && { return std::move(*std::get_if<0>(&state_)); }
    const T* operator->() const noexcept { return std::get_if<0>(&state_); }

    /// Precondition: is_rejected().
    [[nodiscard]] const annals::rejection& rejection() const noexcept {
        return *std::get_if<1>(&state_);
    }
    /// Precondition: is_error().
    [[nodiscard]] const annals::error& error() const noexcept { return *std::get_if<2>(&state_); }

    /// Of a query's answer: everything up to this log position is reflected, nothing later. 0 if
    /// it is not an answer from a view.
    [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
    /// For whoever makes an answer.
    [[nodiscard]] outcome&& reflecting(std::uint64_t upto) && noexcept {
        position_ = upto;
        return std::move(*this);
    }

    /// The value; throws `bad_result` if there is none (a rejection as `errc::invalid_argument`).
    const T& value() const& {
        require();
        return **this;
    }
    /// By value, so that a loop over a temporary's value is over something that lives.
    T value() && {
        require();
        return *std::move(*this);
    }

    /// One sentence: the rejection's or the error's; "ok" otherwise.
    [[nodiscard]] std::string explanation() const {
        if (is_rejected())
            return "rejected (" + rejection().code + "): " + rejection().message;
        return is_error() ? std::string(to_string(error().code)) + ": " + error().message : "ok";
    }

private:
    void require() const {
        if (is_rejected())
            throw bad_result(annals::error{errc::invalid_argument, explanation()});
        if (is_error())
            throw bad_result(error());
    }
    std::variant<T, annals::rejection, annals::error> state_;
    std::uint64_t position_ = 0;
};

/// Proof of what a command did, and the key to reading one's own writes (see `after`).
struct receipt {
    enum class kind : std::uint8_t {
        stored,         ///< this command stored events
        already_stored, ///< an earlier command with the same id did; this is its receipt
        nothing_to_do,  ///< the domain decided that nothing has to be stored
    };
    kind what = kind::stored;
    log_position position = 0;  ///< of the last event; for nothing_to_do: of what it was decided on
    stream_version version = 0; ///< of the aggregate, likewise
    uuid command_id;

    friend bool operator==(const receipt&, const receipt&) = default;
};

} // namespace annals
