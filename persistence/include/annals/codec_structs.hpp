#pragma once

#include "annals/codec.hpp"

/// The codec of structs that name their fields with ANNALS_FIELDS or ANNALS_EVENT: a map by name.
namespace annals {

namespace detail {

/// What a struct says of its fields. Static storage.
struct field_list {
    std::span<const std::string_view> listed;
    std::span<const renamed_field> renamed;
    std::span<const std::string_view> dropped;

    [[nodiscard]] constexpr bool lists(std::string_view name) const noexcept {
        return std::ranges::find(listed, name) != listed.end();
    }
    [[nodiscard]] constexpr bool drops(std::string_view name) const noexcept {
        return std::ranges::find(dropped, name) != dropped.end();
    }
    /// Each old name leads to one listed field, and is neither listed nor dropped itself.
    [[nodiscard]] constexpr bool renames_make_sense() const noexcept {
        return std::ranges::all_of(renamed, [&](const renamed_field& each) {
            return lists(each.now) && !lists(each.then) && !drops(each.then) &&
                   std::ranges::count(renamed, each.then, &renamed_field::then) == 1;
        });
    }
    [[nodiscard]] constexpr bool drops_nothing_listed() const noexcept {
        return std::ranges::none_of(dropped, [&](std::string_view each) { return lists(each); });
    }
};

template <described T>
constexpr field_list fields_of() noexcept {
    field_list fields{T::annals_field_names, {}, {}};
    if constexpr (requires { T::annals_renamed_fields; })
        fields.renamed = T::annals_renamed_fields;
    if constexpr (requires { T::annals_dropped_fields; })
        fields.dropped = T::annals_dropped_fields;
    return fields;
}

/// Finds fields in a stored map. Writers put them in the order of the declaration, so the next
/// field is looked for behind the last one found, and only then everywhere.
class field_finder {
public:
    explicit field_finder(const node& map) noexcept : map_(map), size_(map.size()) {}

    /// The index of the pair named `name`, or size() if there is none.
    [[nodiscard]] std::size_t find(std::string_view name) noexcept {
        std::size_t at = next_;
        if (at >= size_ || !is_named(at, name))
            for (at = 0; at != size_ && !is_named(at, name);)
                ++at;
        if (at != size_) {
            next_ = at + 1;
            ++found_;
        }
        return at;
    }
    /// The same by a name that the field `now` had before.
    [[nodiscard]] std::size_t find_former(std::span<const renamed_field> renamed,
                                          std::string_view now) noexcept {
        for (const renamed_field& each : renamed)
            if (each.now == now)
                if (const std::size_t at = find(each.then); at != size_)
                    return at;
        return size_;
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool found_all() const noexcept { return found_ == size_; }

private:
    [[nodiscard]] bool is_named(std::size_t at, std::string_view name) const noexcept {
        std::string_view key;
        return map_.key_at(at).get(key) && key == name;
    }

    const node& map_;
    std::size_t size_;
    std::size_t next_ = 0;
    std::size_t found_ = 0;
};

/// Looks at a stored map of which a decoder used only some pairs. False if one of them is a second
/// value of a listed field, or if there are unknown fields and missing ones.
[[nodiscard]] bool unused_fields_are_harmless(const node& map, const field_list& fields,
                                              decode_error& why);

} // namespace detail

/// Stored fields that T does not list are ignored, or listed fields that are not stored keep what
/// they have in `value`. Both in one value are an error, because a field that was renamed looks like
/// that, unless T says so (ANNALS_RENAMED_FIELDS, ANNALS_DROPPED_FIELDS). A listed field stored twice is
/// an error: the bytes do not say what was meant.
template <described T>
struct codec<T> {
    static_assert(std::same_as<typename T::annals_described, T>,
                  "ANNALS_FIELDS of a base class does not list this type's own fields: give the "
                  "type its own ANNALS_FIELDS, or check the name in the macro");
    static_assert(
        detail::fields_of<T>().renames_make_sense(),
        "annals: ANNALS_RENAMED_FIELDS takes pairs (old name, field): the field is one that "
        "ANNALS_EVENT or ANNALS_FIELDS lists, the old name is neither listed nor dropped, and "
        "given once");
    static_assert(detail::fields_of<T>().drops_nothing_listed(),
                  "annals: ANNALS_DROPPED_FIELDS names a field that ANNALS_EVENT or ANNALS_FIELDS "
                  "still lists");

    static void encode(encoder& to, const T& value) {
        to.map(T::annals_field_count);
        T::annals_visit_fields(value, [&](std::string_view name, const auto& field) {
            to.text(name);
            annals::encode(to, field);
        });
    }

    static bool decode(const node& from, T& value, decode_error& why) {
        if (from.kind() != node_kind::map)
            return why.expected("map", from);
        detail::field_finder fields(from);
        bool decoded = true;
        T::annals_visit_fields(value, [&](std::string_view name, auto& field) {
            if (!decoded)
                return;
            std::size_t at = fields.find(name);
            if constexpr (requires { T::annals_renamed_fields; })
                if (at == fields.size())
                    at = fields.find_former(T::annals_renamed_fields, name);
            if (at == fields.size())
                return;
            decoded = annals::decode(from.value_at(at), field, why);
            if (!decoded)
                why.within_field(name);
        });
        return decoded && (fields.found_all() ||
                           detail::unused_fields_are_harmless(from, detail::fields_of<T>(), why));
    }
};

} // namespace annals
