#include "lmdb/journal/reader.hpp"

#include <algorithm>
#include <chrono>

namespace annals::lmdb {
namespace {

/// Bounds of one snapshot.
constexpr std::size_t max_events_in_snapshot = 1'000;
constexpr auto max_snapshot_time = std::chrono::milliseconds(50);
/// Records that one page of the whole log looks at.
constexpr std::size_t max_looks = 16'384;
/// A page ends before it grows beyond this, but not before its first event.
constexpr std::size_t max_page_bytes = std::size_t{16} << 20;

/// Says when a snapshot has lasted long enough.
class snapshot_clock {
public:
    /// Counts one look at a record; true if there may be no more.
    [[nodiscard]] bool is_over() noexcept {
        return ++looks_ % 64 == 0 && std::chrono::steady_clock::now() - begin_ > max_snapshot_time;
    }

private:
    std::size_t looks_ = 0;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// Notes versions `last` down to `first` of the stream, as many as one snapshot and `max_bytes`
/// allow; returns the lowest one noted. Precondition: 0 < first <= last <= head.version().
result<stream_version> note_downwards(const log_table& log, std::string_view stream,
                                      const stream_head& head, stream_version first,
                                      stream_version last, std::size_t max_bytes,
                                      page_builder& page) {
    snapshot_clock clock;
    auto found = log.find(stream, head, last);
    for (;;) {
        if (!found)
            return found.error();
        page.note(*found);
        const auto version = found->event.version;
        if (version == first || last - version + 1 == max_events_in_snapshot || clock.is_over() ||
            page.size_bytes() >= max_bytes)
            return version;
        found = log.at(found->event.previous, stream, version - 1);
    }
}

/// What one snapshot of `read_all` came to.
struct scan {
    log_position through;
    bool at_end;
};

/// Notes the events after `after` that pass `filter`, as many as one snapshot and the page allow.
result<scan> note_matching(const log_table& log, MDB_cursor* cursor, log_position after,
                           log_position look_through, std::size_t max, const event_filter& filter,
                           page_builder& page) {
    snapshot_clock clock;
    const auto enough = std::min(max, page.size() + max_events_in_snapshot);
    scan done{after, false};
    std::size_t number = after + 1;
    auto key = as_value(number);
    MDB_val value{};
    auto step = MDB_SET_RANGE;
    while (done.through < look_through && page.size() < enough &&
           page.size_bytes() < max_page_bytes && !clock.is_over()) {
        const auto rc = mdb_cursor_get(cursor, &key, &value, std::exchange(step, MDB_NEXT));
        if (rc == MDB_NOTFOUND)
            break;
        if (rc != 0)
            return lmdb_error(rc, "cannot read the log");
        const auto position = position_of(key);
        if (position != done.through + 1)
            return corrupt_at(done.through + 1, "there is no such record");
        auto event = parse_record(position, as_bytes(value));
        if (!event)
            return event.error();
        if (filter.matches(event->stream, event->type))
            page.note({*event, as_bytes(value)});
        done.through = position;
    }
    const auto last = log.last();
    if (!last)
        return last.error();
    done.at_end = done.through >= *last;
    return done;
}

} // namespace

result<stream_head> reader::head_of(std::string_view stream) const {
    if (auto head = heads_.read(stream))
        return std::move(*head);
    if (index_.distrusted())
        return index_is_old(stream);
    const auto tables = index_.tables();
    const auto snapshot = gate_.enter();
    if (!snapshot)
        return snapshot.error();
    bool damaged = false;
    auto head = load_head(log_table(snapshot->txn(), table_), stream_index(snapshot->txn(), tables),
                          stream, damaged);
    if (!damaged)
        return head;
    index_.report_damage();
    queue_.nudge();
    return index_is_rebuilt(stream);
}

result<event_page> reader::read_stream(std::string_view stream, stream_version from,
                                       std::size_t max, direction way) const {
    auto head = head_of(stream);
    if (!head)
        return head.error();
    const auto newest = head->version();
    const bool forward = way == direction::forward;
    const auto begin = forward ? std::max<stream_version>(from, 1) : std::min(from, newest);
    const bool nothing_left = forward ? begin > newest : begin == 0;
    if (nothing_left || max == 0)
        return page_builder().finish(0, nothing_left);
    if (forward)
        return read_upwards(stream, *head, begin,
                            newest - begin < max ? newest : begin + (max - 1));
    return read_downwards(stream, *head, begin < max ? 1 : begin - (max - 1), begin);
}

result<event_page> reader::read_upwards(std::string_view stream, const stream_head& head,
                                        stream_version first, stream_version last) const {
    page_builder page;
    std::uint64_t stretch = max_events_in_snapshot;
    while (first <= last && page.size_bytes() < max_page_bytes) {
        const auto snapshot = gate_.enter();
        if (!snapshot)
            return snapshot.error();
        // The links lead downwards: from the end of a stretch to its beginning.
        const auto end = last - first < stretch ? last : first + stretch - 1;
        auto lowest = note_downwards(log_table(snapshot->txn(), table_), stream, head, first, end,
                                     ~std::size_t{0}, page);
        if (!lowest)
            return lowest.error();
        if (*lowest == first) {
            first += page.keep_backwards(max_page_bytes);
        } else { // too slow for one snapshot
            stretch = (end - *lowest + 2) / 2;
            page.drop();
        }
    }
    const auto through = page.last_position();
    return std::move(page).finish(through, first > head.version());
}

result<event_page> reader::read_downwards(std::string_view stream, const stream_head& head,
                                          stream_version first, stream_version last) const {
    page_builder page;
    while (first <= last && page.size_bytes() < max_page_bytes) {
        const auto snapshot = gate_.enter();
        if (!snapshot)
            return snapshot.error();
        auto lowest = note_downwards(log_table(snapshot->txn(), table_), stream, head, first, last,
                                     max_page_bytes, page);
        if (!lowest)
            return lowest.error();
        page.keep();
        last = *lowest - 1;
    }
    const auto through = page.last_position();
    return std::move(page).finish(through, last == 0);
}

result<event_page> reader::read_all(log_position after, std::size_t max,
                                    const event_filter& filter) const {
    page_builder page;
    const auto look_through = after + std::min<std::uint64_t>(max_looks, ~after);
    for (scan done{after, false};;) {
        const auto snapshot = gate_.enter();
        if (!snapshot)
            return snapshot.error();
        cursor_handle cursor;
        if (const auto rc = open_cursor(snapshot->txn(), table_.log, cursor); rc != 0)
            return lmdb_error(rc, "cannot read the log");
        auto more = note_matching(log_table(snapshot->txn(), table_), cursor.get(), done.through,
                                  look_through, max, filter, page);
        if (!more)
            return more.error();
        page.keep();
        const bool stuck = more->through == done.through;
        done = *more;
        if (done.at_end || stuck || done.through == look_through || page.size() >= max ||
            page.size_bytes() >= max_page_bytes)
            return std::move(page).finish(done.through, done.at_end);
    }
}

result<stream_info> reader::describe(std::string_view stream) const {
    const auto head = head_of(stream);
    if (!head)
        return head.error();
    if (head->version() == 0)
        return stream_info{};
    const auto snapshot = gate_.enter();
    if (!snapshot)
        return snapshot.error();
    const log_table log(snapshot->txn(), table_);
    const auto first = log.find(stream, *head, 1);
    if (!first)
        return first.error();
    const auto last = log.at(head->last(), stream, head->version());
    if (!last)
        return last.error();
    return stream_info{.version = head->version(),
                       .first_position = first->event.position,
                       .last_position = last->event.position,
                       .first_time = first->event.time,
                       .last_time = last->event.time};
}

} // namespace annals::lmdb
