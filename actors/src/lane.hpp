#pragma once

#include "feed.hpp"
#include "lane_start.hpp"
#include "messages.hpp"
#include "projection_book.hpp"
#include "sink.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace annals {

/// After these the store refuses everything until it is opened again.
[[nodiscard]] inline bool is_final(errc code) {
    return code == errc::unavailable || code == errc::outcome_unknown || code == errc::corrupt ||
           code == errc::closed || code == errc::after_fork;
}

class engine_core;
struct hosted_projection;
class lane;

/// Who runs lanes: the projection's actor.
class lane_owner {
public:
    virtual ~lane_owner() = default;
    /// The actor itself, for messages to it.
    [[nodiscard]] virtual caf::actor self() = 0;
    /// Reads where the lane begins, elsewhere; `lane::opened` is told with this number.
    virtual void read_start(lane& of, std::uint64_t opening) = 0;
    /// Where the lane's events take effect from now on. `epoch`: slices up to it are not for this sink.
    [[nodiscard]] virtual std::unique_ptr<sink> make_sink(lane& of, lane_start start,
                                                          std::uint64_t epoch) = 0;
    /// Events have taken effect. `read_at`: they were all there was then.
    virtual void lane_reported(lane& of, const sink_report& came,
                               std::optional<steady_time> read_at) = 0;
    /// The lane has moved, or has come to the log's end or to rest.
    virtual void lane_moved(lane& of) = 0;
    /// The list where what this lane sets aside is kept.
    [[nodiscard]] virtual projection_book::list list_of(const lane& of) const = 0;
    /// An event is in that list, durably.
    virtual void lane_set_aside(lane& of, projection_book::list in,
                                const set_aside_event& what) = 0;
    /// An event that was replayed has taken effect, or has failed again.
    virtual void lane_replayed(log_position position, result<void> how) = 0;
    virtual void lane_failed(lane& of, const error& why) = 0;
};

/// One generation of a projection on its way through the log: takes events from a feed to a sink, at
/// most two slices ahead, and decides what happens when one fails. Lives in the projection's actor.
class lane {
public:
    lane(lane_owner& owner, engine_core& core, const hosted_projection& of, std::uint64_t id,
         generation_record generation, std::vector<log_position> skip);
    ~lane();
    lane(const lane&) = delete;
    lane& operator=(const lane&) = delete;

    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
    [[nodiscard]] const generation_record& generation() const noexcept { return generation_; }
    [[nodiscard]] log_position position() const noexcept { return position_; }
    /// How many events this generation has taken.
    [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
    /// Of the events on their way to its sink.
    [[nodiscard]] const std::shared_ptr<slice_marks>& marks() const noexcept { return marks_; }
    /// It has been at the log's end since it began.
    [[nodiscard]] bool caught_up() const noexcept { return caught_up_; }
    [[nodiscard]] bool failed() const noexcept { return mode_ == mode::failed; }
    [[nodiscard]] bool retrying() const noexcept { return mode_ == mode::retrying; }
    /// Positions that it passes over, because they are set aside: what it was given, and its own.
    /// It has passed over this event, which is in its list.
    [[nodiscard]] bool skips(log_position position) const noexcept {
        return std::binary_search(skip_.begin(), skip_.end(), position);
    }
    /// Nothing is on its way to its sink.
    [[nodiscard]] bool at_rest() const noexcept { return given_ == 0 && !storing_set_aside_; }
    /// When the log's end was read last, for all that has taken effect; empty if it is behind.
    [[nodiscard]] std::optional<steady_time> read_at() const noexcept { return read_at_; }
    [[nodiscard]] bool running() const noexcept { return mode_ == mode::running; }
    /// The event that it puts into its list at present, also when it was stopped meanwhile, or 0.
    [[nodiscard]] log_position being_set_aside() const noexcept { return being_stored_.position; }

    /// Begins, or begins again, from its start.
    void open();
    /// Begins with `start` at once.
    void begin(lane_start start);
    /// While paused it neither reads nor gives anything to its sink; what is on its way is finished.
    void pause(bool on);
    /// After a failure: begins again. While it waits to retry: does so now.
    void resume();
    /// This event takes effect as soon as what is on its way has; see `slice::replayed`. Also while
    /// paused. Precondition: running().
    void replay(std::shared_ptr<const decoded_events> event, log_position position);
    /// What it is putting into its list is erased right behind: it does not count.
    void forget_being_set_aside() noexcept { being_stored_ = {}; }
    /// What it writes to is damaged: it fails.
    void damaged(const error& why) {
        if (mode_ != mode::failed && mode_ != mode::stopped)
            fail(why);
    }
    /// Nothing more takes effect.
    void stop();

    // --- messages ---------------------------------------------------------------------------------
    void opened(std::uint64_t opening, result<lane_start>& start);
    void fed(const fed_message& m);
    void reported(const sink_report& came);
    void retry(std::uint64_t timer);
    void set_aside_stored(const set_aside_message& m);

private:
    enum class mode : std::uint8_t { opening, running, retrying, failed, stopped };

    /// A slice from the feed until it has taken effect, and the event behind it that cannot be decoded.
    struct entry {
        std::shared_ptr<const decoded_events> events;
        std::optional<undecodable_event> bad;
        std::size_t first = 0;
        unsigned attempt = 1;
        bool slice_done = false; ///< only `bad` is left
        log_position replayed = 0;
    };

    static constexpr std::size_t most_entries = 2;
    /// Slices behind an event that has failed before each of which a view in memory is copied: events
    /// that fail often come together.
    static constexpr unsigned careful_slices = 4;

    [[nodiscard]] result<void> start_feed();
    void demand();
    void give();
    [[nodiscard]] caution care_for(const decoded_events& next);
    void front_done();
    void handler_failed(const sink_report& came);
    void event_failed(log_position position, std::string stream, std::string type,
                      unsigned attempts, bool may_retry, const error& why);
    void store_failed(const error& why);
    void wait_and(bool begin_again, unsigned attempts, const error& why);
    void set_aside(log_position position, std::string stream, std::string type, unsigned attempts,
                   const error& why);
    void give_again();
    /// Reads again from where the sink has gone back to.
    void rewind(log_position to);
    void fail(const error& why);
    void forget_entries();
    void interrupt_replay(log_position position);

    lane_owner& owner_;
    engine_core& core_;
    const hosted_projection& of_;
    const std::uint64_t id_;
    const generation_record generation_;

    std::vector<log_position> skip_; ///< sorted
    mode mode_ = mode::opening;
    bool paused_ = false;
    std::unique_ptr<sink> sink_;
    std::shared_ptr<feed> feed_;
    std::uint64_t feed_number_ = 0;
    std::uint64_t opening_ = 0;
    std::uint64_t epoch_ = 0;
    std::uint64_t timer_ = 0;
    std::deque<entry> entries_;
    std::size_t given_ = 0; ///< of the entries, those that the sink has
    bool demanded_ = false;
    bool caught_up_ = false;
    log_position position_ = 0;
    std::uint64_t events_ = 0;
    std::shared_ptr<slice_marks> marks_; ///< since its beginning
    std::optional<steady_time> read_at_;
    std::deque<entry> to_replay_;

    bool lost_ = false;                      ///< the sink's state is gone
    std::optional<log_position> rewound_to_; ///< or has gone back to here
    bool storing_set_aside_ = false;         ///< and what follows waits for it
    bool open_when_listed_ = false;
    set_aside_event being_stored_; ///< in that list; position 0: nothing is
    projection_book::list stored_in_{};
    log_position failed_at_ = 0; ///< the event that failed last
    unsigned careful_left_ = 0;  ///< slices from there on
    unsigned store_attempts_ = 0;
    log_position failing_ = 0; ///< the event that failed last, across new beginnings
    unsigned attempts_ = 0;    ///< of that event
};

} // namespace annals
