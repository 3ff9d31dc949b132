#pragma once

#include <annals/runtime.hpp>

#include <filesystem>

/// What can be wrong with a store, in the words of the shop.
namespace retail {

/// An error if the events of `log` are not those of this program: another one may call its carts and
/// events the same.
[[nodiscard]] annals::result<void> check_events(const annals::journal& log);

/// True if `a` says more about why several commands failed than `b`: a full disk explains everything, a
/// predecessor that failed nothing.
[[nodiscard]] bool explains_more(annals::errc a, annals::errc b);

/// `why`, or that the disk under `store` is full, where that is the cause: it comes first in the
/// sentence, since everything else follows from it.
[[nodiscard]] annals::error name_full_disk(annals::error why, const std::filesystem::path& store);

} // namespace retail
