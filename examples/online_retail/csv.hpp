#pragma once

#include <annals/error.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// A strict reader of CSV files (RFC 4180, comma, UTF-8) that goes on after a broken record.
///
/// The packaged parsers do not fit: libcsv 3.0.3 trims blanks, keeps no line numbers, bounds no
/// field and does not find the next record after a fault; libfccp ends a record at every line break,
/// also within quotes.
namespace retail {

/// Puts at least one byte into the span and returns how many; 0 at the end of the input.
using byte_source = std::function<annals::result<std::size_t>(std::span<char>)>;

/// One record. Its views are valid until the next call of `csv_reader::next`.
struct csv_record {
    std::uint64_t line = 0; ///< of the file, from 1, where the record starts
    std::span<const std::string_view> fields;
    std::string_view fault; ///< not empty: the record is broken, has no fields, and this is why
};

/// Reads record by record in bounded memory. Not thread-safe.
///
/// Broken is a record with a quote where none may be, an unclosed quote, a lone carriage return, a
/// NUL byte, bytes that are not UTF-8, or more bytes or fields than allowed. Reading goes on at the
/// line after the one where the broken record began, so that an unclosed quote costs its own line
/// and not the rest of the file. Empty lines are no records. A byte order mark is skipped.
class csv_reader {
public:
    static constexpr std::size_t max_record_bytes = std::size_t{16} << 10;
    static constexpr std::size_t max_fields = 256;

    explicit csv_reader(byte_source source);

    /// The next record; null at the end or if the source failed.
    [[nodiscard]] const csv_record* next();

    /// Why the source failed, if it did.
    [[nodiscard]] const std::optional<annals::error>& failure() const noexcept { return failure_; }

    /// Bytes of the input that were used up.
    [[nodiscard]] std::uint64_t consumed() const noexcept { return consumed_; }

private:
    enum class scanned { record, more_needed, broken };

    [[nodiscard]] scanned scan(const char* limit, bool is_end);
    [[nodiscard]] scanned scan_quoted(const char*& at, const char* limit, bool is_end);
    [[nodiscard]] scanned scan_bare(const char*& at, const char* limit);
    [[nodiscard]] scanned broken(std::string_view why);
    [[nodiscard]] const csv_record* finish();
    [[nodiscard]] const csv_record* refuse();
    [[nodiscard]] bool check_text();
    void unescape();
    bool fill();
    void use(std::size_t bytes);
    bool skip_blank_lines();
    void skip_line();
    void skip_byte_order_mark();

    byte_source source_;
    std::vector<char> buffer_;
    char* begin_; ///< what is not used yet
    char* end_;
    bool source_ended_ = false;
    bool started_ = false;
    std::uint64_t consumed_ = 0;
    std::uint64_t line_ = 1;

    csv_record record_;
    const char* record_end_ = nullptr; ///< behind the line break
    std::vector<std::string_view> fields_;
    std::vector<std::size_t> with_doubled_quotes_; ///< indices of fields
    std::optional<annals::error> failure_;
};

} // namespace retail
