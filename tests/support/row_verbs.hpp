#pragma once

// What a test does with a projection store, said in a few words: put rows, look at rows.

#include "annals/projection_store.hpp"

#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace annals::test {

/// The bytes of `text`; a view of it.
inline bytes_view raw(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string text_of(bytes_view of) {
    return {reinterpret_cast<const char*>(of.data()), of.size()};
}

/// Key and value of a row, or nothing; an error in their place.
using seen_row = std::optional<std::pair<std::string, std::string>>;

inline seen_row seen(const result<std::optional<row>>& found) {
    if (!found)
        return std::pair(std::string("error"), std::string(to_string(found.error().code)));
    if (!*found)
        return std::nullopt;
    return std::pair(text_of((*found)->key), text_of((*found)->value));
}

inline seen_row row_of(std::string key, std::string value) {
    return std::pair(std::move(key), std::move(value));
}

/// The value of a row, "-" if there is none, the code of an error.
inline std::string value_of(row_snapshot& in, row_space space, std::string_view key) {
    const auto found = in.get(space, raw(key));
    if (!found)
        return std::string(to_string(found.error().code));
    return *found ? text_of(**found) : "-";
}
inline std::string value_of(const projection_store& in, row_space space, std::string_view key) {
    const auto now = in.snapshot();
    return now ? value_of(**now, space, key) : std::string(to_string(now.error().code));
}

using rows = std::vector<std::pair<std::string, std::string>>;

/// All rows of a space, upwards. An error is a row, and the last.
inline rows all_rows(row_snapshot& in, row_space space) {
    rows all;
    for (auto at = seen(in.at_or_after(space, {})); at; at = seen(in.next())) {
        all.push_back(*at);
        if (at->first == "error")
            break;
    }
    return all;
}
inline rows all_rows(const projection_store& in, row_space space) {
    return all_rows(*in.snapshot().value(), space);
}

/// "applied", or the code of the error.
inline std::string said(const result<void>& applied) {
    return applied ? "applied" : std::string(to_string(applied.error().code));
}

inline std::string put(projection_store& to, row_space space, const rows& what) {
    row_changes changes;
    for (const auto& [key, value] : what)
        changes.put(space, raw(key), raw(value));
    return said(apply_and_wait(to, std::move(changes)));
}
inline std::string erase(projection_store& in, row_space space, std::string_view key) {
    row_changes changes;
    changes.erase(space, raw(key));
    return said(apply_and_wait(in, std::move(changes)));
}
inline std::string drop(projection_store& in, row_space space) {
    row_changes changes;
    changes.drop(space);
    return said(apply_and_wait(in, std::move(changes)));
}

} // namespace annals::test
