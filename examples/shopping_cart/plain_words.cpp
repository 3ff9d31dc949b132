#include "plain_words.hpp"

#include <annals/journal.hpp>

#include <charconv>

namespace shop {

std::string in_plain_words(const annals::error& why, std::string_view db) {
    using annals::errc;
    const std::string store = "\"" + std::string(db) + "\"";
    switch (why.code) {
    case errc::in_use:
        return "the carts in " + store +
               " are in use by another program; try again, or wait longer with --wait";
    case errc::not_a_store:
        return store + " holds no carts; \"add\" makes the first, in a directory of its own";
    case errc::undecodable:
    case errc::unknown_event:
        return store + " holds the events of another program, not those of shopping carts";
    case errc::incompatible_format:
        return store + " was written by another version of this program";
    case errc::disk_full:
        return "the disk is full and nothing was changed; make room, then try again";
    case errc::permission_denied:
        return "there is no permission to use " + store;
    case errc::unsupported_filesystem:
        return store + " is on a disk that cannot keep carts safely; use a local one";
    case errc::outcome_unknown:
        return "the disk failed, and it is not known whether the cart was changed; look at its "
               "history before trying again";
    case errc::corrupt:
        return "the carts in " + store + " are damaged: " + why.message;
    default:
        return why.message;
    }
}

std::string why_no_name(std::string_view text) {
    constexpr std::size_t most_bytes = 64;
    if (text.empty())
        return "a name is not empty";
    if (text.size() > most_bytes)
        return "a name has at most 64 bytes";
    if (!annals::check_stream_name(text))
        return "a name is UTF-8 text without line breaks and other control characters";
    return {};
}

unsigned long long read_count(std::string_view text, std::string& why) {
    unsigned long long count = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, failed] = std::from_chars(text.data(), end, count);
    if (failed != std::errc() || rest != end || count == 0)
        why = "\"" + std::string(text) + "\" is not a number of 1 or more";
    return count;
}

} // namespace shop
