#include "annals/stored_event.hpp"

#include <cstdio>

namespace annals {

namespace {

// The calendar is computed here and not with std::chrono::year, which ends at 32767 while a
// timestamp reaches 292277. Both functions are from "chrono-Compatible Low-Level Date Algorithms"
// by H. Hinnant; an era is the 400 years after which the calendar repeats.

struct date {
    std::int64_t year;
    unsigned month;
    unsigned day;
};

constexpr std::int64_t days_per_era = 146'097;
constexpr std::int64_t era_start_to_1970 = 719'468; ///< days from 0000-03-01

constexpr date date_of(std::int64_t days_since_1970) noexcept {
    const std::int64_t days = days_since_1970 + era_start_to_1970;
    const std::int64_t era = (days >= 0 ? days : days - days_per_era + 1) / days_per_era;
    const std::int64_t day_of_era = days - era * days_per_era;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
    const auto month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return {year_of_era + era * 400 + (month <= 2), static_cast<unsigned>(month),
            static_cast<unsigned>(day_of_year - (153 * month_from_march + 2) / 5 + 1)};
}

constexpr std::int64_t days_of(const date& d) noexcept {
    const std::int64_t year = d.year - (d.month <= 2);
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t month_from_march = d.month > 2 ? d.month - 3 : d.month + 9;
    const std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + d.day - 1;
    const std::int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * days_per_era + day_of_era - era_start_to_1970;
}

constexpr unsigned days_in(std::int64_t year, unsigned month) noexcept {
    if (month == 2)
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

constexpr std::int64_t us_per_second = 1'000'000;
constexpr std::int64_t us_per_day = 86'400 * us_per_second;

/// Takes text from the front. Each call returns whether it was there.
class scanner {
public:
    explicit scanner(std::string_view text) noexcept : rest_(text) {}

    bool symbol(char c) noexcept {
        if (rest_.empty() || rest_.front() != c)
            return false;
        rest_.remove_prefix(1);
        return true;
    }
    /// Between `least` and `most` digits, as many as there are.
    template <class Number>
    bool digits(std::size_t least, std::size_t most, Number& out) noexcept {
        out = 0;
        taken_ = 0;
        while (taken_ < most && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
            out = out * 10 + static_cast<Number>(rest_.front() - '0');
            rest_.remove_prefix(1);
            ++taken_;
        }
        return taken_ >= least;
    }
    [[nodiscard]] std::size_t digits_taken() const noexcept { return taken_; }
    [[nodiscard]] bool done() const noexcept { return rest_.empty(); }

private:
    std::string_view rest_;
    std::size_t taken_ = 0;
};

/// "2010-12-01"; a year before 0 or after 9999 has a sign and up to six digits.
bool scan_date(scanner& from, date& out) noexcept {
    const bool minus = from.symbol('-');
    const bool plus = !minus && from.symbol('+');
    if (!from.digits(4, minus || plus ? 6 : 4, out.year) || !from.symbol('-') ||
        !from.digits(2, 2, out.month) || !from.symbol('-') || !from.digits(2, 2, out.day))
        return false;
    if (minus)
        out.year = -out.year;
    return out.month >= 1 && out.month <= 12 && out.day >= 1 &&
           out.day <= days_in(out.year, out.month);
}

/// "08:26", "08:26:00" or "08:26:00.25", into microseconds since midnight.
bool scan_time_of_day(scanner& from, std::int64_t& out) noexcept {
    std::int64_t hour = 0;
    std::int64_t minute = 0;
    std::int64_t second = 0;
    std::int64_t fraction = 0;
    if (!from.digits(2, 2, hour) || !from.symbol(':') || !from.digits(2, 2, minute))
        return false;
    if (from.symbol(':')) {
        if (!from.digits(2, 2, second))
            return false;
        if (from.symbol('.')) {
            if (!from.digits(1, 6, fraction))
                return false;
            for (auto taken = from.digits_taken(); taken != 6; ++taken)
                fraction *= 10;
        }
    }
    out = ((hour * 60 + minute) * 60 + second) * us_per_second + fraction;
    return hour <= 23 && minute <= 59 && second <= 59;
}

} // namespace

std::string to_string(timestamp time) {
    const std::int64_t us = time.time_since_epoch().count();
    const std::int64_t days = us / us_per_day - (us % us_per_day < 0);
    const std::int64_t us_of_day = us % us_per_day + (us % us_per_day < 0 ? us_per_day : 0);
    const std::int64_t second = us_of_day / us_per_second;
    const date d = date_of(days);
    char text[64];
    const bool plain_year = d.year >= 0 && d.year <= 9999;
    const int length =
        std::snprintf(text, sizeof text,
                      plain_year ? "%04lld-%02u-%02uT%02d:%02d:%02d.%06dZ"
                                 : "%+07lld-%02u-%02uT%02d:%02d:%02d.%06dZ",
                      static_cast<long long>(d.year), d.month, d.day,
                      static_cast<int>(second / 3'600), static_cast<int>(second / 60 % 60),
                      static_cast<int>(second % 60), static_cast<int>(us_of_day % us_per_second));
    return {text, static_cast<std::size_t>(length)};
}

std::optional<timestamp> parse_timestamp(std::string_view text) {
    scanner from(text);
    date d{};
    std::int64_t us_of_day = 0;
    if (!scan_date(from, d))
        return std::nullopt;
    if ((from.symbol('T') || from.symbol(' ')) && !scan_time_of_day(from, us_of_day))
        return std::nullopt;
    from.symbol('Z');
    if (!from.done())
        return std::nullopt;
    // Counted from the day's end where that is nearer to 1970, so that nothing overflows on the way.
    std::int64_t days = days_of(d);
    if (days < 0) {
        ++days;
        us_of_day -= us_per_day;
    }
    std::int64_t us = 0;
    if (__builtin_mul_overflow(days, us_per_day, &us) || __builtin_add_overflow(us, us_of_day, &us))
        return std::nullopt;
    return timestamp{std::chrono::microseconds{us}};
}

} // namespace annals
