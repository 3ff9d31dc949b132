#pragma once

#include "annals/decision.hpp"
#include "annals/stored_event.hpp"
#include "annals/testing/encoding.hpp"

#include <algorithm>
#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace annals::testing {

/// One event of a scenario, as a journal would hold it.
struct recorded {
    std::string stream; ///< "cart-1"
    stream_version version = 0;
    std::string_view type; ///< static storage
    bytes payload;
    metadata about;

    /// The same event, wherever and whenever it happened. Compares bytes, so that events need no
    /// operator==; of two equal unordered maps the bytes may differ.
    [[nodiscard]] bool says_the_same_as(const recorded& other) const {
        return type == other.type && payload == other.payload;
    }
    /// Shares the memory of this.
    [[nodiscard]] stored_event as_stored(log_position position) const {
        stored_event stored;
        stored.position = position;
        stored.version = version;
        stored.stream = stream;
        stored.type = type;
        stored.payload = payload;
        stored.time = about.time;
        stored.command_id = about.command_id;
        return stored;
    }
};

/// `cart.item_added {"sku":"tea","quantity":1}`.
[[nodiscard]] inline std::string describe(const recorded& one) {
    const auto json = payload_as_json(one.payload);
    return std::string(one.type) + " " + (json ? *json : json.error().message);
}

/// One event on each line, indented from the second on.
[[nodiscard]] inline std::string describe(std::span<const recorded> events) {
    std::string lines;
    for (const auto& one : events)
        lines += (lines.empty() ? "" : "\n  ") + describe(one);
    return events.empty() ? "nothing" : lines;
}

[[nodiscard]] inline bool say_the_same(std::span<const recorded> some,
                                       std::span<const recorded> others) {
    return std::equal(some.begin(), some.end(), others.begin(), others.end(),
                      [](const recorded& a, const recorded& b) { return a.says_the_same_as(b); });
}

/// What a test may write where events of this variant are meant: one of its types, the variant
/// itself, or a vector of variants.
template <class T, class Variant>
concept events_of = is_alternative_of<T, Variant> || std::same_as<T, Variant> ||
    std::same_as<T, std::vector<Variant>>;

/// Calls `use` with each event in `events`, by its own type.
template <class Variant, events_of<Variant> T, class Use>
void for_each_event(const T& events, Use&& use) {
    if constexpr (is_alternative_of<T, Variant>)
        use(events);
    else if constexpr (std::same_as<T, Variant>)
        std::visit(use, events);
    else
        for (const auto& one : events)
            std::visit(use, one);
}

} // namespace annals::testing
