#pragma once

#include "annals/codec.hpp"
#include "annals/metadata.hpp"

namespace annals {

/// Appends what `stored_event::more_metadata` holds of `about`: a msgpack map with those of
/// "correlation", "causation" (16 bytes each), "actor" (text) and "extra" (map of texts) that are
/// not empty. Appends nothing at all if they all are. A correlation id equal to the command id
/// counts as empty, as that is what an empty one means.
void encode_more_metadata(const metadata& about, bytes& out);

/// Reads those four fields; leaves the ones that are not there as they are.
[[nodiscard]] result<void> decode_more_metadata(bytes_view more, metadata& about);

} // namespace annals
