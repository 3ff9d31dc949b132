#pragma once

#include "annals/projection_store.hpp"

#include <optional>

namespace annals {

/// The rows of one stored view, as one thread sees them: ordered by key, changes included that it has
/// made itself. `stored_map` puts each table's number before its keys, so one of these holds all
/// tables of a view. Not thread-safe. Everything may throw `bad_result` (a damaged row, the disk).
/// Returned views are valid until the next call.
class table_rows {
public:
    virtual ~table_rows() = default;
    [[nodiscard]] virtual std::optional<bytes_view> get(bytes_view key) = 0;
    /// Throws `bad_result` with `invalid_argument` where rows are only read: in `answer`.
    virtual void put(bytes_view key, bytes_view value) = 0;
    /// False if there was none.
    virtual bool erase(bytes_view key) = 0;
    [[nodiscard]] virtual std::optional<row> at_or_after(bytes_view from) = 0;
    [[nodiscard]] virtual std::optional<row> after(bytes_view key) = 0;
    [[nodiscard]] virtual std::optional<row> before(bytes_view end) = 0;
};

} // namespace annals
