#pragma once

#include "annals/codec.hpp"
#include "annals/command_fingerprint.hpp"
#include "annals/metadata.hpp"

namespace annals {

/// Appends what `stored_event::more_metadata` holds: a msgpack map with those of "command" (the
/// fingerprint: type, then fields, each a u32, as 8 bytes), "correlation", "causation" (16 bytes
/// each), "actor" (text) and "extra" (map of texts) that are not empty, in this order. Appends
/// nothing at all if they all are. A correlation id equal to the command id counts as empty, as that
/// is what an empty one means.
void encode_more_metadata(const metadata& about, bytes& out, command_fingerprint fingerprint = {});

/// Reads all but the fingerprint; leaves the fields that are not there as they are.
[[nodiscard]] result<void> decode_more_metadata(bytes_view more, metadata& about);

/// Reads the fingerprint, without parsing the rest. Not known, if it is not there.
[[nodiscard]] command_fingerprint decode_fingerprint(bytes_view more) noexcept;

} // namespace annals
