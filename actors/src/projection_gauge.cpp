#include "projection_gauge.hpp"

#include <algorithm>
#include <cmath>

namespace annals {

namespace {

std::chrono::milliseconds whole_milliseconds(steady_time::duration of) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(of);
}

/// How long `events` take at `per_second`; empty if nothing is known.
std::optional<std::chrono::milliseconds> time_for(std::uint64_t events, double per_second) {
    if (events == 0)
        return std::chrono::milliseconds(0);
    if (!(per_second > 0))
        return std::nullopt;
    const double ms = static_cast<double>(events) / per_second * 1'000;
    constexpr double century = 3.2e12;
    return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(ms, century)));
}

} // namespace

projection_gauge::projection_gauge(const projection_type& type, const projection_options& options)
    : name_(type.name()),
      kind_(type.kind()),
      max_waiting_(options.max_waiting_queries),
      version_(type.version()) {
    for (const std::type_index query : type.queries())
        queries_.emplace_back(query);
}

void projection_gauge::reached(log_position position, std::uint64_t events,
                               std::optional<steady_time> read_at, steady_time at) {
    if (read_at)
        last_at_head_.store(*read_at);
    at_head_.store(read_at.has_value());
    const log_position before = position_.exchange(position);
    if (events > 0)
        events_.fetch_add(events);
    if (position > before)
        rate_.add(at, static_cast<std::uint32_t>(
                          std::min<std::uint64_t>(position - before, ~std::uint32_t{0})));
    if (first_event_.load() == steady_time::max()) {
        first_position_.store(before);
        first_event_.store(at);
    }
    wake_if_reached(position);
}

void projection_gauge::stands_at(log_position position) {
    last_at_head_.store(steady_time::min());
    at_head_.store(false);
    position_.store(position);
    wake_if_reached(position);
}

/// Pairs with `wake_at`: one stores the position and then looks for a wish, the other the other way
/// round, so at least one of them sees both.
void projection_gauge::wake_if_reached(log_position position) {
    if (position >= wake_at_.load() && wake_at_.exchange(nowhere) != nowhere)
        wake_();
}

bool projection_gauge::wake_at(log_position position) {
    wake_at_.store(position);
    if (position_.load() < position)
        return false;
    wake_at_.store(nowhere);
    return true;
}

void projection_gauge::failed_with(const std::string& why) {
    const std::lock_guard lock(mutex_);
    last_error_ = why;
}

void projection_gauge::notes(std::string what) {
    const std::lock_guard lock(mutex_);
    note_ = std::move(what);
}

void projection_gauge::rebuilds(std::optional<rebuild_status> what) {
    const std::lock_guard lock(mutex_);
    rebuilding_ = std::move(what);
    rebuild_since_ = {};
}

void projection_gauge::rebuilt_up_to(log_position position, steady_time at) {
    const std::lock_guard lock(mutex_);
    if (!rebuilding_)
        return;
    if (rebuild_since_ == steady_time{}) {
        rebuild_since_ = at;
        rebuild_from_ = position;
    }
    rebuilding_->position = position;
}

query_gauge* projection_gauge::query(std::type_index type) noexcept {
    for (auto& each : queries_)
        if (each.type() == type)
            return &each;
    return nullptr;
}

namespace {
bool goes_on(const std::weak_ptr<const live_request>& query) {
    const auto there = query.lock();
    return there && !there->over();
}
} // namespace

void projection_gauge::is_watched_by(const std::shared_ptr<const live_request>& query) {
    const std::lock_guard lock(mutex_);
    if (live_queries_.size() >= prune_at_) {
        std::erase_if(live_queries_, [](const auto& each) { return !goes_on(each); });
        prune_at_ = std::max<std::size_t>(64, 2 * live_queries_.size());
    }
    live_queries_.push_back(query);
}

projection_status projection_gauge::read(log_position head, steady_time at,
                                         log_position told) const {
    projection_status made;
    made.name = name_;
    made.kind = kind_;
    made.now = now();
    made.position = std::max(position_.load(), told);
    made.lag = head > made.position ? head - made.position : 0;
    made.events = events_.load();
    const steady_time first = first_event_.load();
    const auto known = first < at ? std::chrono::ceil<std::chrono::seconds>(at - first).count() : 1;
    const auto window = static_cast<std::size_t>(std::clamp<std::int64_t>(known, 1, rate_seconds));
    made.per_second = static_cast<double>(rate_.before(at, window)) / static_cast<double>(window);
    if (known <= 2 && at > first) // no full second to look back at
        made.per_second =
            static_cast<double>(made.position - std::min(made.position, first_position_.load())) /
            std::chrono::duration<double>(at - first).count();
    if (made.lag > 0) {
        const steady_time since = std::max(last_at_head_.load(), std::min(first, at));
        made.behind_for =
            at > since ? whole_milliseconds(at - since) : std::chrono::milliseconds(0);
    }
    made.time_left = time_for(made.lag, made.per_second);
    made.set_aside = set_aside.load();
    made.queries = queries.load();
    made.queries_waiting = queries_waiting.load();
    for (const auto& each : queries_)
        made.query_types.push_back(each.read(at));
    const std::lock_guard lock(mutex_);
    made.live_queries = static_cast<std::size_t>(std::ranges::count_if(live_queries_, goes_on));
    made.last_error = last_error_;
    made.note = note_;
    made.rebuilding = rebuilding_;
    made.version = version_.load(); // after it: what was built serves before the rebuild is over
    if (made.rebuilding && rebuild_since_ != steady_time{} && at > rebuild_since_) {
        const double seconds = std::chrono::duration<double>(at - rebuild_since_).count();
        const auto done = made.rebuilding->position - rebuild_from_;
        made.rebuilding->time_left =
            time_for(head > made.rebuilding->position ? head - made.rebuilding->position : 0,
                     static_cast<double>(done) / seconds);
    }
    return made;
}

} // namespace annals
