#pragma once

#include "annals/decision.hpp"

#include <optional>
#include <string>
#include <utility>

namespace annals::testing {

/// Whether what a test said came true, and if not, what came instead.
class [[nodiscard]] check {
public:
    [[nodiscard]] static check passed() { return check(true, "as expected"); }
    [[nodiscard]] static check failed(std::string why) { return check(false, std::move(why)); }

    explicit operator bool() const noexcept { return passed_; }
    /// For people; several lines if it failed.
    [[nodiscard]] const std::string& explanation() const noexcept { return explanation_; }

private:
    check(bool passed, std::string why) : passed_(passed), explanation_(std::move(why)) {}

    bool passed_;
    std::string explanation_;
};

/// What a test expects of a rejection: its code, and its message if the test names one.
struct expected_rejection {
    std::string code;
    std::optional<std::string> message;

    [[nodiscard]] bool allows(const rejection& why) const {
        return why.code == code && (!message || why.message == *message);
    }
};

[[nodiscard]] inline expected_rejection rejected(std::string code) {
    return {std::move(code), std::nullopt};
}
[[nodiscard]] inline expected_rejection rejected(std::string code, std::string message) {
    return {std::move(code), std::move(message)};
}

[[nodiscard]] inline std::string describe(const rejection& why) {
    return "rejected (" + why.code + "): " + why.message;
}
[[nodiscard]] inline std::string describe(const expected_rejection& expected) {
    return "rejected (" + expected.code + ")" +
           (expected.message ? ": " + *expected.message : std::string());
}

} // namespace annals::testing
