#pragma once

#include "annals/codec.hpp"

#include <cstdint>

namespace annals {

/// What a `node` points to: one parsed value. The children of a list, and the keys and values of a
/// map in turn, stand side by side `offset` slots behind it. Text, binary and extension data stay
/// in the payload.
struct payload_slot {
    enum class kind : std::uint8_t {
        nil,
        boolean,
        natural,
        negative,
        real,
        text,
        binary,
        list,
        map,
        extension
    };

    union {
        bool boolean;
        std::uint64_t natural = 0;
        std::int64_t negative;
        double real;
        const char* data;
        std::uint64_t offset;
    };
    std::uint32_t size = 0; ///< bytes of `data`, elements of a list, pairs of a map
    kind what = kind::nil;
    std::int8_t extension_type = 0;
};

/// A node that was never parsed is nil.
[[nodiscard]] inline const payload_slot& slot_of(const node& value) noexcept {
    static constexpr payload_slot nothing{};
    return value.object_ ? *static_cast<const payload_slot*>(value.object_) : nothing;
}

} // namespace annals
