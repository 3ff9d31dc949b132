#include "annals/table_key.hpp"

namespace annals {

void row_key::refuse() {
    // One of the bytes is the number of the map.
    throw bad_result({errc::too_large, "the key of a row has more than " +
                                           std::to_string(max_row_key_bytes - 1) +
                                           " bytes, encoded; use a shorter one, such as "
                                           "annals::uuid::of_name of the long text"});
}

namespace detail {

namespace {
constexpr std::byte zero{0};
constexpr std::byte escaped_zero{0xFF};

bytes_view bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}
} // namespace

void encode_text_prefix(row_key& to, std::string_view prefix) {
    for (auto next = prefix.find('\0'); next != std::string_view::npos; next = prefix.find('\0')) {
        to.append(bytes_of(prefix.substr(0, next + 1)));
        to.push(escaped_zero);
        prefix.remove_prefix(next + 1);
    }
    to.append(bytes_of(prefix));
}

void encode_text(row_key& to, std::string_view text) {
    encode_text_prefix(to, text);
    to.push(zero);
    to.push(zero);
}

bool decode_text(bytes_view& from, std::string& text) {
    text.clear();
    for (std::size_t i = 0; i + 1 < from.size(); ++i) {
        if (from[i] != zero) {
            text.push_back(static_cast<char>(from[i]));
            continue;
        }
        const std::byte follows = from[++i];
        if (follows == zero) {
            from = from.subspan(i + 1);
            return true;
        }
        if (follows != escaped_zero)
            return false;
        text.push_back('\0');
    }
    return false;
}

} // namespace detail

} // namespace annals
