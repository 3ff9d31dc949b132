#include "csv.hpp"

#include "utf8.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace retail {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 20;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

constexpr bool ends_bare_field(char c) {
    return c == ',' || c == '\n' || c == '\r' || c == '"';
}

const char* find(const char* from, const char* to, char wanted) {
    const void* found = std::memchr(from, wanted, static_cast<std::size_t>(to - from));
    return found == nullptr ? to : static_cast<const char*>(found);
}

} // namespace

csv_reader::csv_reader(byte_source source)
    : source_(std::move(source)),
      buffer_(buffer_bytes),
      begin_(buffer_.data()),
      end_(buffer_.data()) {}

const csv_record* csv_reader::next() {
    if (!std::exchange(started_, true))
        skip_byte_order_mark();
    if (!skip_blank_lines())
        return nullptr;
    for (;;) {
        const std::size_t available = static_cast<std::size_t>(end_ - begin_);
        const std::size_t looked_at = std::min(available, max_record_bytes);
        switch (scan(begin_ + looked_at, source_ended_ && looked_at == available)) {
        case scanned::record:
            return check_text() ? finish() : refuse();
        case scanned::broken:
            return refuse();
        case scanned::more_needed:
            if (looked_at == max_record_bytes) {
                record_.fault = "longer than 16,384 bytes, or a quote is not closed";
                return refuse();
            }
            if (!fill() && failure_)
                return nullptr;
        }
    }
}

/// Splits the record at `begin_` into fields. `is_end`: the input ends at `limit`.
csv_reader::scanned csv_reader::scan(const char* limit, bool is_end) {
    fields_.clear();
    with_doubled_quotes_.clear();
    const char* at = begin_;
    for (;;) {
        if (fields_.size() == max_fields)
            return broken("more than 256 columns");
        const bool quoted = at != limit && *at == '"';
        const scanned field = quoted ? scan_quoted(at, limit, is_end) : scan_bare(at, limit);
        if (field == scanned::broken)
            return field;
        if (field == scanned::more_needed || at == limit) {
            if (!is_end)
                return scanned::more_needed;
            if (field == scanned::more_needed)
                return broken("a quote is not closed");
            record_end_ = limit;
            return scanned::record;
        }
        if (*at == ',') {
            ++at;
            continue;
        }
        if (*at == '\n') {
            record_end_ = at + 1;
            return scanned::record;
        }
        if (*at != '\r')
            return broken(quoted ? "text after a closing quote" : "a quote inside a bare field");
        if (at + 1 == limit && !is_end)
            return scanned::more_needed;
        if (at + 1 == limit || at[1] != '\n')
            return broken("a carriage return without a line feed");
        record_end_ = at + 2;
        return scanned::record;
    }
}

/// From the opening quote to behind the closing one.
csv_reader::scanned csv_reader::scan_quoted(const char*& at, const char* limit, bool is_end) {
    const char* const first = ++at;
    bool doubled = false;
    for (;;) {
        at = find(at, limit, '"');
        if (at == limit)
            return scanned::more_needed;
        if (at + 1 == limit && !is_end)
            return scanned::more_needed;
        if (at + 1 == limit || at[1] != '"')
            break;
        doubled = true;
        at += 2;
    }
    if (doubled)
        with_doubled_quotes_.push_back(fields_.size());
    fields_.emplace_back(first, static_cast<std::size_t>(at - first));
    ++at;
    return scanned::record;
}

csv_reader::scanned csv_reader::scan_bare(const char*& at, const char* limit) {
    const char* const first = at;
    at = std::find_if(at, limit, ends_bare_field);
    fields_.emplace_back(first, static_cast<std::size_t>(at - first));
    return scanned::record;
}

csv_reader::scanned csv_reader::broken(std::string_view why) {
    record_.fault = why;
    return scanned::broken;
}

bool csv_reader::check_text() {
    const std::string_view text(begin_, static_cast<std::size_t>(record_end_ - begin_));
    if (text.find('\0') != std::string_view::npos)
        record_.fault = "a NUL byte";
    else if (!is_utf8(text))
        record_.fault = "not UTF-8";
    else
        return true;
    return false;
}

const csv_record* csv_reader::finish() {
    const auto lines = std::count(static_cast<const char*>(begin_), record_end_, '\n');
    const std::size_t bytes = static_cast<std::size_t>(record_end_ - begin_);
    unescape();
    record_ = {line_, fields_, {}};
    line_ += static_cast<std::uint64_t>(lines);
    use(bytes);
    return &record_;
}

/// Reports the record at `begin_` with the fault that was found, and goes behind its first line.
const csv_record* csv_reader::refuse() {
    record_.line = line_;
    record_.fields = {};
    skip_line();
    return &record_;
}

/// Makes one quote of two, in place: the bytes are not read again.
void csv_reader::unescape() {
    for (const std::size_t index : with_doubled_quotes_) {
        std::string_view& field = fields_[index];
        char* const first = begin_ + (field.data() - begin_);
        char* to = first;
        for (const char* from = first; from != first + field.size(); ++from) {
            *to++ = *from;
            from += *from == '"';
        }
        field = {first, static_cast<std::size_t>(to - first)};
    }
}

/// Reads more behind what is not used yet. False at the end of the input.
bool csv_reader::fill() {
    if (source_ended_ || failure_)
        return false;
    if (begin_ != buffer_.data()) {
        const std::size_t kept = static_cast<std::size_t>(end_ - begin_);
        std::memmove(buffer_.data(), begin_, kept);
        begin_ = buffer_.data();
        end_ = begin_ + kept;
    }
    const auto got = source_(std::span(end_, buffer_.data() + buffer_.size()));
    if (!got) {
        failure_ = got.error();
        return false;
    }
    source_ended_ = *got == 0;
    end_ += *got;
    return !source_ended_;
}

void csv_reader::use(std::size_t bytes) {
    begin_ += bytes;
    consumed_ += bytes;
}

/// False if nothing follows.
bool csv_reader::skip_blank_lines() {
    for (;;) {
        if (begin_ == end_ && !fill())
            return false;
        if (*begin_ == '\r' && end_ - begin_ < 2)
            fill();
        const std::size_t cr = *begin_ == '\r' ? 1 : 0;
        if (begin_ + cr == end_ || begin_[cr] != '\n')
            return !failure_;
        ++line_;
        use(cr + 1);
    }
}

/// Goes behind the next line feed, however far it is.
void csv_reader::skip_line() {
    for (;;) {
        const char* const feed = find(begin_, end_, '\n');
        if (feed != end_) {
            ++line_;
            use(static_cast<std::size_t>(feed + 1 - begin_));
            return;
        }
        use(static_cast<std::size_t>(end_ - begin_));
        if (!fill())
            return;
    }
}

void csv_reader::skip_byte_order_mark() {
    while (static_cast<std::size_t>(end_ - begin_) < byte_order_mark.size() && fill()) {
    }
    if (std::string_view(begin_, static_cast<std::size_t>(end_ - begin_))
            .starts_with(byte_order_mark))
        use(byte_order_mark.size());
}

} // namespace retail
