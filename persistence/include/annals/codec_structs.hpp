#pragma once

#include "annals/codec.hpp"

/// The codec of structs that name their fields with ANNALS_FIELDS or ANNALS_EVENT: a map by name.
namespace annals {

namespace detail {

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
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t found() const noexcept { return found_; }
    [[nodiscard]] bool is_named(std::size_t at, std::string_view name) const noexcept {
        std::string_view key;
        return map_.key_at(at).get(key) && key == name;
    }

private:
    const node& map_;
    std::size_t size_;
    std::size_t next_ = 0;
    std::size_t found_ = 0;
};

} // namespace detail

/// Stored fields that T does not list are ignored, and listed fields that are not stored keep what
/// they have in `value`. A listed field stored twice is an error: the bytes do not say what was
/// meant.
template <described T>
struct codec<T> {
    static_assert(std::same_as<typename T::annals_described, T>,
                  "ANNALS_FIELDS of a base class does not list this type's own fields: give the "
                  "type its own ANNALS_FIELDS, or check the name in the macro");

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
            const std::size_t at = fields.find(name);
            if (at == fields.size())
                return;
            decoded = annals::decode(from.value_at(at), field, why);
            if (!decoded)
                why.within_field(name);
        });
        return decoded && (fields.found() == fields.size() || no_field_twice(fields, value, why));
    }

private:
    /// Needed only if some stored pair was not used: it is unknown, or a known one's second.
    static bool no_field_twice(const detail::field_finder& fields, T& value, decode_error& why) {
        bool unique = true;
        T::annals_visit_fields(value, [&](std::string_view name, auto&) {
            std::size_t times = 0;
            for (std::size_t at = 0; at != fields.size(); ++at)
                times += fields.is_named(at, name);
            if (unique && times > 1) {
                unique = why.fail("the field is stored twice");
                why.within_field(name);
            }
        });
        return unique;
    }
};

} // namespace annals
