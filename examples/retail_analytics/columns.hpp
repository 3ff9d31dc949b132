#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text in columns of a terminal. Columns are counted in code points.
namespace retail::analytics {

/// `text`, which is UTF-8, cut or filled with blanks to `columns`. Control characters, which could
/// change what the terminal shows elsewhere, become question marks.
[[nodiscard]] std::string left_aligned(std::string_view text, std::size_t columns);
/// As left_aligned; where `text` is cut, the last column says so ("…").
[[nodiscard]] std::string shortened(std::string_view text, std::size_t columns);
/// The same as left_aligned at the right side; never cut, since it is for numbers.
[[nodiscard]] std::string right_aligned(std::string_view text, std::size_t columns);

/// The first `columns` of `line`.
[[nodiscard]] std::string cut(std::string_view line, std::size_t columns);

} // namespace retail::analytics
