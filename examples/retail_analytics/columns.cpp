#include "columns.hpp"

#include <algorithm>

namespace retail::analytics {

namespace {

bool begins_code_point(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0u) != 0x80;
}

std::size_t columns_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_code_point));
}

/// Control characters are below 0x20, 0x7f, and 0x80 to 0x9f, which UTF-8 begins with 0xc2.
std::string printable(std::string_view text) {
    std::string shown;
    for (std::size_t i = 0; i != text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool second_set =
            byte == 0xc2 && i + 1 != text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
        i += second_set;
        shown += byte < ' ' || byte == 0x7f || second_set ? '?' : text[i];
    }
    return shown;
}

} // namespace

std::string cut(std::string_view line, std::size_t columns) {
    std::size_t end = 0;
    for (; end != line.size(); ++end)
        if (begins_code_point(line[end]) && columns-- == 0)
            break;
    return std::string(line.substr(0, end));
}

std::string left_aligned(std::string_view text, std::size_t columns) {
    std::string shown = cut(printable(text), columns);
    shown.append(columns - columns_of(shown), ' ');
    return shown;
}

std::string shortened(std::string_view text, std::size_t columns) {
    if (columns == 0 || columns_of(printable(text)) <= columns)
        return left_aligned(text, columns);
    return left_aligned(text, columns - 1) + "…";
}

std::string right_aligned(std::string_view text, std::size_t columns) {
    const std::size_t used = columns_of(text);
    return std::string(used < columns ? columns - used : 0, ' ') + std::string(text);
}

} // namespace retail::analytics
