#pragma once

#include <annals/error.hpp>

#include <string>
#include <string_view>

namespace shop {

/// What `why` means to somebody who uses the program and has never heard of annals. `db` is the
/// directory of the store.
[[nodiscard]] std::string in_plain_words(const annals::error& why, std::string_view db);

/// Why `text` cannot name a cart or an article; empty if it can. A name is printed, one on a line.
[[nodiscard]] std::string why_no_name(std::string_view text);

/// "99" as a number of 1 or more. `why` is filled if it is none.
[[nodiscard]] unsigned long long read_count(std::string_view text, std::string& why);

} // namespace shop
