#include "annals/codec.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace annals::detail {
namespace {

/// A stored name as a message shows it: what is on disk may be long.
std::string shown(std::string_view name) {
    constexpr std::size_t most = 64;
    return name.size() <= most ? std::string(name) : std::string(name.substr(0, most)) + "...";
}

/// "a", "b" and 3 more
std::string list_of(const std::vector<std::string_view>& names) {
    constexpr std::size_t most = 5;
    std::string all;
    for (std::size_t i = 0; i != std::min(most, names.size()); ++i)
        all += (i == 0 ? "\"" : ", \"") + shown(names[i]) + "\"";
    return names.size() > most ? all + " and " + std::to_string(names.size() - most) + " more"
                               : all;
}

/// The listed field that a stored name means; empty if it means none.
std::string_view listed_field(const field_list& fields, std::string_view stored) {
    if (fields.lists(stored))
        return stored;
    const auto renamed = std::ranges::find(fields.renamed, stored, &renamed_field::then);
    return renamed == fields.renamed.end() ? std::string_view() : renamed->now;
}

bool refuse_rename(const std::vector<std::string_view>& unknown,
                   const std::vector<std::string_view>& missing, decode_error& why) {
    return why.fail("stored but not listed: " + list_of(unknown) + "; listed but not stored: " +
                    list_of(missing) + ". Probably a field was renamed: write " +
                    "ANNALS_RENAMED_FIELDS((" + shown(unknown.front()) + ", " +
                    shown(missing.front()) + ")) in the struct, or ANNALS_DROPPED_FIELDS(" +
                    shown(unknown.front()) + ") if it was removed");
}

} // namespace

bool unused_fields_are_harmless(const node& map, const field_list& fields, decode_error& why) {
    std::vector<std::string_view> found; // listed fields, each once
    std::vector<std::string_view> unknown;
    for (std::size_t at = 0; at != map.size(); ++at) {
        std::string_view stored;
        if (!map.key_at(at).get(stored))
            continue; // no field's name
        const std::string_view field = listed_field(fields, stored);
        if (field.empty()) {
            if (!fields.drops(stored))
                unknown.push_back(stored);
            continue;
        }
        if (std::ranges::find(found, field) != found.end()) {
            why.fail("the field is stored twice");
            why.within_field(field);
            return false;
        }
        found.push_back(field);
    }
    if (unknown.empty() || found.size() == fields.listed.size())
        return true;
    std::vector<std::string_view> missing;
    std::ranges::copy_if(fields.listed, std::back_inserter(missing), [&](std::string_view listed) {
        return std::ranges::find(found, listed) == found.end();
    });
    return refuse_rename(unknown, missing, why);
}

} // namespace annals::detail
