#include "online_retail/rows.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <limits>
#include <string>
#include <string_view>

/// From fields to commands: what a row must be like, and what it says when it is not.

namespace {

using fields = std::array<std::string_view, 8>;

const fields plain{"536365", "85123A", "WHITE HOLDER",  "6", "2010-12-01 08:26:00",
                   "2.55",   "17850",  "United Kingdom"};

enum column { invoice, sku, description, quantity, date, price, customer, country };

fields with(column which, std::string_view text) {
    fields changed = plain;
    changed[which] = text;
    return changed;
}

retail::row_command command_of(const fields& row) {
    auto read = retail::read_row(row, 7);
    if (const auto* malformed = std::get_if<retail::malformed_row>(&read))
        FAIL(malformed->reason);
    return std::get<retail::row_command>(std::move(read));
}

const retail::invoice_line& line_of(const retail::row_command& made) {
    return std::visit(
        [](const auto& command) -> const auto& { return command.line; }, made.command);
}

std::string reason(const fields& row) {
    const auto read = retail::read_row(row, 7);
    const auto* malformed = std::get_if<retail::malformed_row>(&read);
    return malformed == nullptr ? "well-formed" : malformed->reason;
}

retail::thousandths price_of(std::string_view text) {
    return line_of(command_of(with(price, text))).price;
}

} // namespace

TEST_CASE("a row with a positive quantity adds what it says") {
    const auto made = command_of(plain);
    CHECK(made.cart_id == "17850");
    REQUIRE(std::holds_alternative<retail::add_item>(made.command));
    const auto& line = line_of(made);
    CHECK(line.sku == "85123A");
    CHECK(line.description == "WHITE HOLDER");
    CHECK(line.quantity == 6);
    CHECK(line.price == 2'550);
    CHECK(line.country == "United Kingdom");
    CHECK(line.invoiced == std::chrono::sys_days(std::chrono::year(2010) / 12 / 1) +
                               std::chrono::hours(8) + std::chrono::minutes(26));
    CHECK(line.row == 7);
}

TEST_CASE("a row with a negative quantity removes") {
    const auto made = command_of(with(quantity, "-12"));
    REQUIRE(std::holds_alternative<retail::remove_item>(made.command));
    CHECK(line_of(made).quantity == 12);
    CHECK(line_of(made).price == 2'550);
}

TEST_CASE("without a customer every invoice has a cart of its own") {
    CHECK(command_of(with(customer, "NA")).cart_id == "guest-536365");
    CHECK(command_of(with(customer, "")).cart_id == "guest-536365");
    CHECK(reason(with(customer, "guest-536365")) ==
          "CustomerID \"guest-536365\" would be taken for a guest");
}

TEST_CASE("prices are exact to the thousandth") {
    CHECK(price_of("0") == 0);
    CHECK(price_of("0.001") == 1);
    CHECK(price_of("2.1") == 2'100);
    CHECK(price_of("007.25") == 7'250);
    CHECK(price_of("38970") == 38'970'000);
    CHECK(price_of("-11062.06") == -11'062'060);
    CHECK(price_of("100000") == retail::max_price);
    for (std::string_view bad : {"", "-", ".", "1.", ".5", "1,5", "1.2345", "1e3", "+1", " 1", "1 ",
                                 "--1", "0x10", "nan", "1.-5", "9999999999999", "1.2.3"}) {
        CAPTURE(bad);
        CHECK(reason(with(price, bad)) == "UnitPrice \"" + std::string(bad) +
                                              "\" is not an amount with at most three decimals");
    }
    CHECK(reason(with(price, "100000.001")) ==
          "UnitPrice \"100000.001\" is out of range: at most 100,000");
}

TEST_CASE("quantities are whole numbers other than 0, within bounds") {
    for (std::string_view bad :
         {"", "x", "1.0", "1e2", "+1", " 1", "1 ", "99999999999999999999", "-"})
        CHECK(reason(with(quantity, bad)) ==
              "Quantity \"" + std::string(bad) + "\" is not a whole number");
    CHECK(reason(with(quantity, "0")) == "Quantity \"0\" neither adds nor removes anything");
    CHECK(reason(with(quantity, "-0")) == "Quantity \"-0\" neither adds nor removes anything");
    CHECK(command_of(with(quantity, "-1000000")).cart_id == "17850");
    CHECK(reason(with(quantity, "1000001")) ==
          "Quantity \"1000001\" is out of range: at most 1,000,000");
    CHECK(reason(with(quantity, "-9223372036854775808")).ends_with("at most 1,000,000"));
}

TEST_CASE("dates exist and have one form") {
    CHECK(reason(with(date, "2012-02-29 23:59:59")) == "well-formed");
    CHECK(reason(with(date, "1900-01-01 00:00:00")) == "well-formed");
    CHECK(reason(with(date, "2199-12-31 23:59:59")) == "well-formed");
    for (std::string_view bad :
         {"", "2010-12-01", "2010-12-01 08:26", "2010-12-01T08:26:00", "2010-13-01 08:26:00",
          "2010-00-01 08:26:00", "2011-02-29 08:26:00", "2010-12-32 08:26:00",
          "2010-12-01 24:00:00", "2010-12-01 08:60:00", "2010-12-01 08:26:60", "12/1/2010 8:26",
          "0000-12-01 08:26:00", "1899-12-31 08:26:00", "2200-01-01 08:26:00",
          "2010-12-01 08:26:0x", "2010-12-01 08:26:00 "})
        CHECK(reason(with(date, bad)) == "InvoiceDate \"" + std::string(bad) +
                                             "\" is not a date and time like 2010-12-01 08:26:00");
}

TEST_CASE("a row has eight columns") {
    CHECK(reason(plain) == "well-formed");
    const auto seven = retail::read_row(std::span(plain).first(7), 1);
    CHECK(std::get<retail::malformed_row>(seven).reason == "7 columns instead of 8");
    const std::array<std::string_view, 9> nine{};
    CHECK(std::get<retail::malformed_row>(retail::read_row(nine, 1)).reason ==
          "9 columns instead of 8");
    const auto one = retail::read_row(std::span(plain).first(1), 1);
    CHECK(std::get<retail::malformed_row>(one).reason == "1 column instead of 8");
}

TEST_CASE("names are there, short and printable, a description may be anything") {
    CHECK(reason(with(invoice, "")) == "InvoiceNo \"\" is missing");
    CHECK(reason(with(sku, "")) == "StockCode \"\" is missing");
    CHECK(reason(with(country, "")) == "Country \"\" is missing");
    CHECK(reason(with(sku, "a\nb")) == "StockCode \"a?b\" has a control character");
    CHECK(reason(with(customer, std::string(65, '1'))).ends_with("is longer than 64 bytes"));
    CHECK(line_of(command_of(with(description, ""))).description.empty());
    CHECK(line_of(command_of(with(description, "7\" \xe2\x98\x85\n"))).description ==
          "7\" \xe2\x98\x85\n");
}

TEST_CASE("a reason is short and safe to print") {
    const std::string hostile = "\x1b[2J" + std::string(1'000, 'x');
    CHECK(reason(with(quantity, hostile)) ==
          "Quantity \"?[2J" + std::string(36, 'x') + "...\" is not a whole number");
}

TEST_CASE("the header is known by its names, all and in order") {
    const fields header{"InvoiceNo",   "StockCode", "Description", "Quantity",
                        "InvoiceDate", "UnitPrice", "CustomerID",  "Country"};
    CHECK(retail::is_header(header));
    CHECK_FALSE(retail::is_header(plain));
    CHECK_FALSE(retail::is_header(std::span(header).first(7)));
}
