#pragma once

#include "annals/journal.hpp"
#include "annals/log_mark.hpp"
#include "annals/projection_catalog.hpp"

namespace annals {

/// The mark of the event at `position`; id 0 if the log has none there. Blocks on the disk.
[[nodiscard]] result<log_mark> read_mark(const journal& log, log_position position);

/// Compares every record of the catalog with the log that it was built from, also those of projections
/// that nobody hosts: a log that was put back from an older copy, and perhaps written on, is noticed.
/// Then rows and saved copies are dropped, so that the views are built again, and a reaction is marked;
/// durably, before anything is appended. Records without marks, of an earlier format, are given them.
/// Call it at opening. Blocks on the disk.
[[nodiscard]] result<void> check_against_log(projection_store& store, const journal& log);

} // namespace annals
