#pragma once

#include "annals/domain.hpp"
#include "annals/journal.hpp"
#include "annals/rate_statistics.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// How often which events happen: a view in memory over the whole log that any host may host, and the
/// query that it answers.
///
///     auto rt = annals::runtime::open("shop.db", annals::host<cart>,
///                                     annals::host<annals::event_statistics>).value();
///     auto all = rt.ask(annals::event_rates{}).get().value();
///     auto now = rt.ask(annals::event_rates{"cart", annals::time_window::last(5min)}).get().value();
///
/// Time is that of the events' metadata, not that of asking.
namespace annals {

/// A stretch of event time. Made without arguments it is all of it: from the first event to the newest
/// one of the log, by time, counting the second of the newest in full.
class time_window {
public:
    time_window() = default;
    /// From `begin` up to, and without, `end`.
    [[nodiscard]] static time_window between(timestamp begin, timestamp end) {
        return time_window(stretch{begin, end});
    }
    /// So much before the end of the second of the newest event.
    [[nodiscard]] static time_window last(std::chrono::seconds length) {
        return time_window(length);
    }

private:
    friend struct event_statistics;
    struct all_of_it {};
    struct stretch {
        timestamp begin;
        timestamp end;
    };
    using kind = std::variant<all_of_it, stretch, std::chrono::seconds>;
    explicit time_window(kind which) : which_(which) {}
    kind which_;
};

struct event_statistics;

/// How often which types of events happened within `window`: in one category, or in the whole log.
/// Refused if the window is empty or ends before it begins.
struct event_rates {
    using view = event_statistics;
    std::optional<std::string> category = {};
    time_window window = {};
};

/// Counts of all events, by category and type, over their time. Can be saved and published.
///
/// All time together is counted exactly. A window is exact if it begins and ends at full seconds
/// within the newest hour, at full minutes within the newest 30 days, or at full hours before that;
/// other windows are widened to such edges, and `rate_statistics::seconds` is the widened length. Newest
/// is the newest event's time: one event dated into the future makes all others old.
///
/// Memory: about 64 bytes for each second, minute or hour, respectively, in which a type occurred. A
/// type that occurs all the time takes 3 MB, and half a MB for each year before.
struct event_statistics {
    static constexpr std::string_view name = "event_statistics";
    using event = any_event;
    using query = std::variant<event_rates>;

    /// Time is cut into stretches this wide, for events at most so old.
    struct resolution {
        std::chrono::seconds width;
        std::chrono::seconds up_to_age;
    };
    static constexpr std::array<resolution, 3> resolutions{{
        {std::chrono::seconds(1), std::chrono::hours(1)},
        {std::chrono::minutes(1), std::chrono::hours(24 * 30)},
        {std::chrono::hours(1), std::chrono::seconds::max()},
    }};

    /// Counts by the second at which their stretch begins, since the epoch.
    using counts = std::map<std::int64_t, std::uint64_t>;
    struct series {
        std::string category;
        std::string type;
        std::uint64_t count = 0;
        std::array<counts, resolutions.size()> by_time; ///< one for each resolution
        ANNALS_FIELDS(series, category, type, count, by_time)
        friend bool operator==(const series&, const series&) = default;
    };
    std::vector<series> all;           ///< by category, then type
    std::optional<std::int64_t> first; ///< second of the earliest event
    std::optional<std::int64_t> newest;
    ANNALS_FIELDS(event_statistics, all, first, newest)
    friend bool operator==(const event_statistics&, const event_statistics&) = default;

    void add(std::string_view category, std::string_view type, timestamp time);
    [[nodiscard]] outcome<rate_statistics> rates(const std::optional<std::string>& category,
                                                 const time_window& window) const;

private:
    struct edges {
        std::int64_t begin;
        std::int64_t end;
        bool all_of_it;
    };
    [[nodiscard]] series& series_of(std::string_view category, std::string_view type);
    /// Times from here on are kept at `resolutions[index]` or finer. On an edge of the next coarser.
    [[nodiscard]] std::int64_t horizon(std::size_t index) const noexcept;
    [[nodiscard]] std::size_t resolution_at(std::int64_t second) const noexcept;
    void merge_old(series& of) const;
    [[nodiscard]] outcome<edges> edges_of(const time_window& window) const;
};

void evolve(event_statistics& statistics, const any_event& happened, const logged_context& about);
[[nodiscard]] outcome<rate_statistics> answer(const event_statistics& statistics,
                                              const event_rates& query);

/// The same of one stream, which is read from the journal: blocks on the disk. `invalid_argument` for a
/// window that is refused; all of a stream that does not exist is empty.
[[nodiscard]] result<rate_statistics>
stream_event_rates(const journal& log, std::string_view stream, const time_window& window = {});

} // namespace annals
