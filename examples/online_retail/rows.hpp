#pragma once

#include "csv.hpp"
#include "domain.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

/// From the fields of one row to the command it stands for.
namespace retail {

/// A command and the cart it is aimed at: the customer's, or one of its own for each invoice without
/// a customer ("guest-536365").
struct row_command {
    std::string cart_id;
    cart::command command;
};

/// A row that stands for no command, and why.
struct malformed_row {
    std::string reason;
};

/// The bounds that keep every sum over a file of this kind within 64 bits: at both limits it takes
/// 92,000 rows to leave them.
inline constexpr std::int64_t max_quantity = 1'000'000;
inline constexpr thousandths max_price = 100'000'000; ///< 100,000 pounds

/// True if `fields` are the eight column names, in order.
[[nodiscard]] bool is_header(std::span<const std::string_view> fields);

/// Reads the first record; an error unless it is the header.
[[nodiscard]] annals::result<void> read_header(csv_reader& from);

/// The command of row number `row`. A positive quantity adds, a negative one removes; 0 does
/// neither and is malformed.
[[nodiscard]] std::variant<row_command, malformed_row>
read_row(std::span<const std::string_view> fields, std::uint64_t row);

} // namespace retail
