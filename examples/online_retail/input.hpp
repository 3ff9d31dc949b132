#pragma once

#include "csv.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace retail {

/// The bytes to import: a file, or the standard input for the path "-".
class input {
public:
    /// Throws `std::system_error` if the file cannot be opened, or is a directory.
    explicit input(const std::string& path);
    ~input();
    input(const input&) = delete;
    input& operator=(const input&) = delete;

    /// Reads the header, or fails: what is no file of invoices is refused before a store is made for
    /// it. `source` gives the bytes again.
    [[nodiscard]] annals::result<void> check_header();

    /// Empty for a pipe or a terminal.
    [[nodiscard]] std::optional<std::uint64_t> bytes() const;

    /// Reads on. Whenever nothing is there yet, as may be with a pipe, `before_waiting` runs first.
    /// Fails with `errc::aborted` while a signal asks to stop. The input must outlive it.
    [[nodiscard]] byte_source source(std::function<void()> before_waiting) const;

private:
    int descriptor_;
    std::string beginning_; ///< that was read by check_header
};

} // namespace retail
