#include "rows.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <utility>

namespace retail {

namespace {

enum column { invoice, stock_code, description, quantity, date, price, customer, country, columns };

constexpr std::array<std::string_view, columns> column_names{
    "InvoiceNo",   "StockCode", "Description", "Quantity",
    "InvoiceDate", "UnitPrice", "CustomerID",  "Country"};

constexpr std::size_t max_name_bytes = 64;
constexpr std::string_view guest_prefix = "guest-";

/// "UnitPrice \"2,55\" is not a number": the start of the text, safe to print on a terminal.
malformed_row malformed(column where, std::string_view text, std::string_view what) {
    constexpr std::size_t shown = 40;
    std::string reason(column_names[where]);
    reason += " \"";
    for (char c : text.substr(0, shown))
        reason += c < ' ' || c > '~' ? '?' : c;
    reason += text.size() > shown ? "...\" " : "\" ";
    reason += what;
    return {std::move(reason)};
}

std::optional<std::int64_t> read_integer(std::string_view text) {
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, failed] = std::from_chars(text.data(), end, value);
    if (failed != std::errc() || rest != end)
        return std::nullopt;
    return value;
}

bool is_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "-11062.06" as thousandths, exactly. Up to three decimals, no exponent.
std::optional<thousandths> read_price(std::string_view text) {
    const bool negative = text.starts_with('-');
    const std::string_view amount = text.substr(negative ? 1 : 0);
    const std::size_t point = std::min(amount.find('.'), amount.size());
    const std::string_view pounds = amount.substr(0, point);
    if (pounds.empty() || pounds.size() > 12 || !is_digits(pounds))
        return std::nullopt;
    thousandths value = *read_integer(pounds) * 1'000;
    if (point != amount.size()) {
        const std::string_view decimals = amount.substr(point + 1);
        if (decimals.empty() || decimals.size() > 3 || !is_digits(decimals))
            return std::nullopt;
        thousandths unit = 100;
        for (char digit : decimals) {
            value += (digit - '0') * unit;
            unit /= 10;
        }
    }
    return negative ? -value : value;
}

/// The number in the `count` digits at `at`. Precondition: they are within `text` and digits.
constexpr unsigned digits_at(std::string_view text, std::size_t at, std::size_t count) {
    unsigned value = 0;
    for (std::size_t i = at; i != at + count; ++i)
        value = value * 10 + static_cast<unsigned>(text[i] - '0');
    return value;
}

/// "2010-12-01 08:26:00".
std::optional<std::chrono::sys_seconds> read_date(std::string_view text) {
    constexpr std::string_view form = "0000-00-00 00:00:00";
    if (text.size() != form.size())
        return std::nullopt;
    for (std::size_t i = 0; i != form.size(); ++i)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return std::nullopt;
    const std::chrono::year_month_day day{
        std::chrono::year(static_cast<int>(digits_at(text, 0, 4))),
        std::chrono::month(digits_at(text, 5, 2)), std::chrono::day(digits_at(text, 8, 2))};
    const std::chrono::hours hours(digits_at(text, 11, 2));
    const std::chrono::minutes minutes(digits_at(text, 14, 2));
    const std::chrono::seconds seconds(digits_at(text, 17, 2));
    // The year 0 is a typing mistake, and would stretch every figure by day over two thousand years.
    constexpr std::chrono::year first_year(1900), last_year(2199);
    if (!day.ok() || day.year() < first_year || day.year() > last_year || hours.count() > 23 ||
        minutes.count() > 59 || seconds.count() > 59)
        return std::nullopt;
    return std::chrono::sys_days(day) + hours + minutes + seconds;
}

/// Why `text` cannot name something (an article, an invoice, a customer, a country); empty if it can.
std::string_view why_no_name(std::string_view text) {
    if (text.empty())
        return "is missing";
    if (text.size() > max_name_bytes)
        return "is longer than 64 bytes";
    const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
    if (std::any_of(text.begin(), text.end(), is_control))
        return "has a control character";
    return {};
}

} // namespace

bool is_header(std::span<const std::string_view> fields) {
    return std::equal(fields.begin(), fields.end(), column_names.begin(), column_names.end());
}

annals::result<void> read_header(csv_reader& from) {
    const csv_record* const header = from.next();
    if (from.failure())
        return *from.failure();
    if (header != nullptr && header->fault.empty() && is_header(header->fields))
        return {};
    return annals::error{annals::errc::invalid_argument,
                         "the input does not begin with the header InvoiceNo,StockCode,Description,"
                         "Quantity,InvoiceDate,UnitPrice,CustomerID,Country"};
}

std::variant<row_command, malformed_row> read_row(std::span<const std::string_view> fields,
                                                  std::uint64_t row) {
    if (fields.size() != columns)
        return malformed_row{std::to_string(fields.size()) +
                             (fields.size() == 1 ? " column" : " columns") + " instead of 8"};
    for (const column name : {invoice, stock_code, country})
        if (const std::string_view why = why_no_name(fields[name]); !why.empty())
            return malformed(name, fields[name], why);
    const std::string_view customer_id = fields[customer];
    const bool is_guest = customer_id.empty() || customer_id == "NA";
    if (!is_guest) {
        if (const std::string_view why = why_no_name(customer_id); !why.empty())
            return malformed(customer, customer_id, why);
        if (customer_id.starts_with(guest_prefix))
            return malformed(customer, customer_id, "would be taken for a guest");
    }
    const auto units = read_integer(fields[quantity]);
    if (!units)
        return malformed(quantity, fields[quantity], "is not a whole number");
    if (*units == 0)
        return malformed(quantity, fields[quantity], "neither adds nor removes anything");
    if (*units > max_quantity || *units < -max_quantity)
        return malformed(quantity, fields[quantity], "is out of range: at most 1,000,000");
    const auto invoiced = read_date(fields[date]);
    if (!invoiced)
        return malformed(date, fields[date], "is not a date and time like 2010-12-01 08:26:00");
    const auto unit_price = read_price(fields[price]);
    if (!unit_price)
        return malformed(price, fields[price], "is not an amount with at most three decimals");
    if (*unit_price > max_price || *unit_price < -max_price)
        return malformed(price, fields[price], "is out of range: at most 100,000");

    invoice_line line{std::string(fields[stock_code]),
                      std::string(fields[description]),
                      std::abs(*units),
                      *unit_price,
                      std::string(fields[country]),
                      *invoiced,
                      row};
    row_command made;
    if (is_guest)
        made.cart_id.append(guest_prefix).append(fields[invoice]);
    else
        made.cart_id = customer_id;
    if (*units > 0)
        made.command = add_item{std::move(line)};
    else
        made.command = remove_item{std::move(line)};
    return made;
}

} // namespace retail
