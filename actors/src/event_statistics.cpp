#include "annals/event_statistics.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace annals {

namespace {

/// Also below zero: time before 1970 is time.
std::int64_t round_down(std::int64_t second, std::chrono::seconds width) noexcept {
    const std::int64_t rest = second % width.count();
    return second - rest - (rest < 0 ? width.count() : 0);
}

std::int64_t second_of(timestamp time) noexcept {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

/// The second at which the last of `time` has passed.
std::int64_t second_after(timestamp time) noexcept {
    return std::chrono::ceil<std::chrono::seconds>(time).time_since_epoch().count();
}

/// More seconds than there are between any two timestamps.
constexpr std::int64_t beyond_all_time = std::int64_t{1} << 45;

rejection empty_window(std::string why) {
    return reject("empty window", std::move(why) + "; give one that ends after it begins");
}

std::uint64_t sum_between(const event_statistics::counts& in, std::int64_t begin,
                          std::int64_t end) {
    std::uint64_t sum = 0;
    for (auto at = in.lower_bound(begin); at != in.end() && at->first < end; ++at)
        sum += at->second;
    return sum;
}

} // namespace

// --- counting --------------------------------------------------------------------------------------

event_statistics::series& event_statistics::series_of(std::string_view category,
                                                      std::string_view type) {
    const auto wanted = std::tie(category, type);
    const auto place =
        std::lower_bound(all.begin(), all.end(), wanted, [](const series& each, const auto& key) {
            return std::tuple<std::string_view, std::string_view>(each.category, each.type) < key;
        });
    if (place != all.end() && place->category == category && place->type == type)
        return *place;
    series made;
    made.category = category;
    made.type = type;
    return *all.insert(place, std::move(made));
}

std::int64_t event_statistics::horizon(std::size_t index) const noexcept {
    if (index + 1 == resolutions.size())
        return std::numeric_limits<std::int64_t>::min();
    return round_down(*newest - resolutions[index].up_to_age.count(), resolutions[index + 1].width);
}

std::size_t event_statistics::resolution_at(std::int64_t second) const noexcept {
    std::size_t index = 0;
    while (newest && second < horizon(index))
        ++index;
    return index;
}

void event_statistics::merge_old(series& of) const {
    for (std::size_t i = 0; i + 1 != resolutions.size(); ++i) {
        const std::int64_t limit = horizon(i);
        auto& fine = of.by_time[i];
        while (!fine.empty() && fine.begin()->first < limit) {
            const auto [begin, count] = *fine.begin();
            of.by_time[i + 1][round_down(begin, resolutions[i + 1].width)] += count;
            fine.erase(fine.begin());
        }
    }
}

void event_statistics::add(std::string_view category, std::string_view type, timestamp time) {
    const std::int64_t second = second_of(time);
    first = std::min(second, first.value_or(second));
    newest = std::max(second, newest.value_or(second));
    series& to = series_of(category, type);
    const std::size_t index = resolution_at(second);
    ++to.count;
    ++to.by_time[index][round_down(second, resolutions[index].width)];
    merge_old(to);
}

// --- asking ----------------------------------------------------------------------------------------

outcome<event_statistics::edges> event_statistics::edges_of(const time_window& window) const {
    if (const auto* length = std::get_if<std::chrono::seconds>(&window.which_)) {
        if (length->count() <= 0)
            return empty_window("a window of " + std::to_string(length->count()) + " seconds");
        if (!newest)
            return edges{0, 0, true};
        const std::int64_t end = *newest + 1;
        const std::int64_t begin = end - std::min(length->count(), beyond_all_time);
        return edges{round_down(begin, resolutions[resolution_at(begin)].width), end, false};
    }
    if (const auto* given = std::get_if<time_window::stretch>(&window.which_)) {
        if (given->end <= given->begin)
            return empty_window("a window from " + to_string(given->begin) + " to " +
                                to_string(given->end));
        const std::int64_t begin = second_of(given->begin);
        const std::int64_t end = second_after(given->end);
        const auto last_width = resolutions[resolution_at(end - 1)].width;
        return edges{round_down(begin, resolutions[resolution_at(begin)].width),
                     round_down(end - 1, last_width) + last_width.count(), false};
    }
    return newest ? edges{*first, *newest + 1, true} : edges{0, 0, true};
}

outcome<rate_statistics> event_statistics::rates(const std::optional<std::string>& category,
                                                 const time_window& window) const {
    const auto within = edges_of(window);
    if (!within)
        return within.rejection();
    std::vector<std::pair<std::string, std::uint64_t>> found;
    for (const auto& each : all) {
        if (category && each.category != *category)
            continue;
        std::uint64_t count = within->all_of_it ? each.count : 0;
        if (!within->all_of_it)
            for (const auto& stretches : each.by_time)
                count += sum_between(stretches, within->begin, within->end);
        found.emplace_back(each.type, count);
    }
    return statistics_of(found, static_cast<double>(within->end - within->begin));
}

void evolve(event_statistics& statistics, const any_event& happened, const logged_context& about) {
    statistics.add(happened.category, happened.type, about.time);
}

outcome<rate_statistics> answer(const event_statistics& statistics, const event_rates& query) {
    return statistics.rates(query.category, query.window);
}

result<rate_statistics> stream_event_rates(const journal& log, std::string_view stream,
                                           const time_window& window) {
    constexpr std::size_t page_events = 1'000;
    event_statistics counted;
    stream_version read = 0;
    for (bool more = true; more;) {
        const auto page = log.read_stream(stream, read + 1, page_events);
        if (!page)
            return page.error();
        for (const auto& happened : page->events) {
            counted.add(happened.category(), happened.type, happened.time);
            read = happened.version;
        }
        more = !page->at_end && !page->events.empty();
    }
    auto rates = counted.rates(std::nullopt, window);
    if (!rates)
        return error{errc::invalid_argument, rates.explanation()};
    return *std::move(rates);
}

} // namespace annals
