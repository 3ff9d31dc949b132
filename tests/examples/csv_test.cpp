#include "online_retail/csv.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

/// The CSV reader on text as it should be and on text that was cut, mixed up or made to harm.

using namespace std::string_view_literals;

namespace {

/// Gives `text` in pieces of at most `piece` bytes.
retail::byte_source in_pieces(std::string_view text, std::size_t piece) {
    return [text, piece](std::span<char> into) mutable -> annals::result<std::size_t> {
        const std::size_t count = std::min({text.size(), piece, into.size()});
        std::memcpy(into.data(), text.data(), count);
        text.remove_prefix(count);
        return count;
    };
}

/// "<line>: [field][field]" or "<line>! fault" for each record.
std::vector<std::string> read(std::string_view text, std::size_t piece) {
    retail::csv_reader reader(in_pieces(text, piece));
    std::vector<std::string> seen;
    while (const retail::csv_record* record = reader.next()) {
        std::string shown = std::to_string(record->line);
        if (!record->fault.empty()) {
            shown += "! " + std::string(record->fault);
        } else {
            shown += ": ";
            for (std::string_view field : record->fields)
                shown += "[" + std::string(field) + "]";
        }
        seen.push_back(std::move(shown));
    }
    REQUIRE_FALSE(reader.failure());
    REQUIRE(reader.consumed() == text.size());
    return seen;
}

using records = std::vector<std::string>;

/// However the bytes arrive, the records are the same.
records read(std::string_view text) {
    const records whole = read(text, text.size() + 1);
    for (std::size_t piece : {1u, 2u, 3u, 7u, 4096u})
        REQUIRE(read(text, piece) == whole);
    return whole;
}

const std::string too_long = "longer than 16,384 bytes, or a quote is not closed";

} // namespace

TEST_CASE("records are split at commas and line breaks") {
    CHECK(read("a,b\nc,d\n") == records{"1: [a][b]", "2: [c][d]"});
    CHECK(read("a,,\n,\n") == records{"1: [a][][]", "2: [][]"});
    CHECK(read(" a , b \n") == records{"1: [ a ][ b ]"});
    CHECK(read("").empty());
}

TEST_CASE("the last record needs no line break") {
    CHECK(read("a,b\nc,d") == records{"1: [a][b]", "2: [c][d]"});
    CHECK(read("a,b\nc,") == records{"1: [a][b]", "2: [c][]"});
    CHECK(read("a\n\"b\"") == records{"1: [a]", "2: [b]"});
}

TEST_CASE("lines may end with carriage return and line feed") {
    CHECK(read("a,b\r\n\"c\",\"d\"\r\n") == records{"1: [a][b]", "2: [c][d]"});
}

TEST_CASE("empty lines are no records but count as lines") {
    CHECK(read("\n\na\n\r\n\nb\n\n") == records{"3: [a]", "6: [b]"});
    CHECK(read("\n\r\n").empty());
}

TEST_CASE("a byte order mark is skipped, at the beginning only") {
    CHECK(read("\xef\xbb\xbf\"a\",b\n") == records{"1: [a][b]"});
    CHECK(read("\xef\xbb\xbf").empty());
    CHECK(read("a\n\xef\xbb\xbf\"b\"\n") == records{"1: [a]", "2! a quote inside a bare field"});
}

TEST_CASE("quoted fields hold commas, line breaks and doubled quotes") {
    CHECK(read("\"a,b\",c\n") == records{"1: [a,b][c]"});
    CHECK(read("\"a\nb\r\nc\",d\ne\n") == records{"1: [a\nb\r\nc][d]", "4: [e]"});
    CHECK(read("\"7\"\" \"\"x\"\"\",\"\"\"\",\"\"\n") == records{"1: [7\" \"x\"][\"][]"});
}

TEST_CASE("broken quoting costs its own line, not the rest of the file") {
    CHECK(read("a,b\"c\nd,e\n") == records{"1! a quote inside a bare field", "2: [d][e]"});
    CHECK(read("\"a\"b,c\nd,e\n") == records{"1! text after a closing quote", "2: [d][e]"});
    CHECK(read("\"a\",\"b,c\n\"d\",\"e\"\n") ==
          records{"1! text after a closing quote", "2: [d][e]"});
    CHECK(read("a,\"b\nc,d\ne,f\n") ==
          records{"1! a quote is not closed", "2: [c][d]", "3: [e][f]"});
    CHECK(read("a\n\"") == records{"1: [a]", "2! a quote is not closed"});
    CHECK(read("a\n\"b\"\"") == records{"1: [a]", "2! a quote is not closed"});
}

TEST_CASE("an unclosed quote is found out within the longest record") {
    std::string text = "\"a,b\n";
    for (int i = 0; i < 10'000; ++i)
        text += "c,d\n";
    const records seen = read(text);
    REQUIRE(seen.size() == 10'001);
    CHECK(seen[0] == "1! " + too_long);
    CHECK(seen[1] == "2: [c][d]");
    CHECK(seen.back() == "10001: [c][d]");
}

TEST_CASE("a record of the longest length is read, a longer one is not") {
    const std::string longest(retail::csv_reader::max_record_bytes - 1, 'x');
    CHECK(read("a\n" + longest + "\nb\n") == records{"1: [a]", "2: [" + longest + "]", "3: [b]"});
    CHECK(read("a\n" + longest + "xx\nb\n") == records{"1: [a]", "2! " + too_long, "3: [b]"});
    const std::string huge(3'000'000, 'x');
    CHECK(read("a\n" + huge + "\nb\n", 70'000) == records{"1: [a]", "2! " + too_long, "3: [b]"});
    CHECK(read("a\n\"" + huge, 70'000) == records{"1: [a]", "2! " + too_long});
}

TEST_CASE("a record with very many fields is refused") {
    const std::string commas(retail::csv_reader::max_fields, ',');
    CHECK(read(commas + "\na\n") == records{"1! more than 256 columns", "2: [a]"});
    CHECK(read(commas.substr(1) + "\n").size() == 1);
    CHECK(read(commas.substr(1) + "\n")[0].starts_with("1: []"));
}

TEST_CASE("a lone carriage return is no line break") {
    CHECK(read("a\rb\nc\n") == records{"1! a carriage return without a line feed", "2: [c]"});
    CHECK(read("\"a\"\r,b\nc\n") == records{"1! a carriage return without a line feed", "2: [c]"});
    CHECK(read("a\r") == records{"1! a carriage return without a line feed"});
}

TEST_CASE("NUL bytes and what is not UTF-8 are refused") {
    CHECK(read("a,\0b\nc\n"sv) == records{"1! a NUL byte", "2: [c]"});
    CHECK(read("caf\xc3\xa9,\xe2\x98\x85,\xf0\x9f\x98\x80\n") ==
          records{"1: [caf\xc3\xa9][\xe2\x98\x85][\xf0\x9f\x98\x80]"});
    for (std::string_view bad :
         {"\xe9"sv, "\xc3"sv, "\xc0\xaf"sv, "\xed\xa0\x80"sv, "\xf5\x80\x80\x80"sv, "\xe2\x98"sv,
          "\x80"sv, "\xf0\x8f\xbf\xbf"sv, "\xe0\x9f\xbf"sv})
        CHECK(read("x,some longer text " + std::string(bad) + "\nc\n") ==
              records{"1! not UTF-8", "2: [c]"});
}

TEST_CASE("a source that fails ends the reading with its error") {
    bool failed = false;
    retail::csv_reader reader([&](std::span<char> into) -> annals::result<std::size_t> {
        if (std::exchange(failed, true))
            return annals::error{annals::errc::io_error, "the disk is gone"};
        std::memcpy(into.data(), "a,b\nc", 5);
        return std::size_t{5};
    });
    const retail::csv_record* first = reader.next();
    REQUIRE(first != nullptr);
    CHECK(first->fields.size() == 2);
    CHECK(reader.next() == nullptr); // the cut record is not taken for the last one
    REQUIRE(reader.failure());
    CHECK(reader.failure()->message == "the disk is gone");
}

TEST_CASE("whatever the bytes are, reading ends, and is the same in pieces of any size") {
    const unsigned seed = GENERATE(1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u);
    CAPTURE(seed);
    std::mt19937 random(seed);
    constexpr std::string_view alphabet = "\"\"\",,\n\n\rab\0\xc3\xa9\xef\xbb\xbf"sv;
    std::string text(4'000, ' ');
    for (char& c : text)
        c = alphabet[random() % alphabet.size()];
    const records whole = read(text);
    CHECK(whole.size() > 100);
    // Cut anywhere, it still ends, and what was complete before the cut stays as it is.
    for (std::size_t cut = 0; cut < text.size(); cut += 97)
        CHECK_NOTHROW(read(std::string_view(text).substr(0, cut), 11));
}
