#include "axes.hpp"

#include <cmath>

namespace retail::analytics {

namespace {

using std::chrono::days;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::year_month;
using std::chrono::year_month_day;

/// The smallest of 1, 2, 5, 10, 20, ... that is not below `least`.
double round_step(double least) {
    const double power = std::pow(10, std::floor(std::log10(least)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (least <= factor * power)
            return factor * power;
    return 10 * power;
}

std::vector<sys_days> every(int step, sys_days first, sys_days last) {
    std::vector<sys_days> marks;
    for (sys_days day = first; day <= last; day += days(step))
        marks.push_back(day);
    return marks;
}

/// The firsts of months, counted from January of year 0, that are multiples of `step`; not many more
/// than `most`.
std::vector<sys_days> first_of_every(int step, sys_days first, sys_days last, std::size_t most) {
    const year_month_day begin(first);
    const int month = static_cast<int>(begin.year()) * 12 +
                      static_cast<int>(static_cast<unsigned>(begin.month())) - 1;
    year_month at = begin.year() / begin.month();
    at -= months(month % step);
    std::vector<sys_days> marks;
    for (; sys_days(at / 1) <= last && marks.size() <= most; at += months(step))
        if (sys_days(at / 1) >= first)
            marks.push_back(at / 1);
    return marks;
}

} // namespace

std::vector<double> value_marks(double lowest, double highest, std::size_t wanted) {
    const double range = highest > lowest ? highest - lowest : 1;
    const double step = round_step(range / static_cast<double>(wanted));
    const double begin = std::floor(lowest / step);
    const double end = std::max(std::ceil(highest / step), begin + 1);
    std::vector<double> marks;
    for (double i = begin; i <= end; ++i)
        marks.push_back(i * step);
    return marks;
}

std::vector<sys_days> date_marks(sys_days first, sys_days last, std::size_t most) {
    const auto span = static_cast<std::size_t>((last - first).count());
    for (const int step : {1, 2, 7})
        if (span / static_cast<std::size_t>(step) < most)
            return every(step, first, last);
    for (const int step : {1, 2, 3, 6, 12})
        if (auto marks = first_of_every(step, first, last, most); marks.size() <= most)
            return marks;
    for (int step = 24;; step *= 2)
        if (auto marks = first_of_every(step, first, last, most); marks.size() <= most)
            return marks;
}

} // namespace retail::analytics
