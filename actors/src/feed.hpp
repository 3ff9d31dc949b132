#pragma once

#include "annals/hosted.hpp"
#include "annals/journal.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace annals {

/// An event that cannot be decoded, with its name and the reason.
struct undecodable_event {
    log_position position = 0;
    std::string stream;
    std::string type;
    error why;
    log_mark mark;
};

/// Some events for one projection, and the one that ended them early, if one did.
struct fed_events {
    std::shared_ptr<const decoded_events> events;
    std::optional<undecodable_event> bad; ///< the event after `events`
};

/// Reads and decodes events for one projection, on an executor, from a position to the end of the
/// log and then as they come: one subscription, so there is no hand-over between old and new events.
/// It decodes only what was demanded, and while that is done reads at most one page ahead, so memory is
/// bounded however slow the projection is. The journal wakes it directly; no actor is needed to begin
/// reading.
class feed : public std::enable_shared_from_this<feed> {
public:
    /// Runs on the executor, one call at a time. An error ends the feed.
    using deliver = std::function<void(result<fed_events>)>;

    /// `skip`: sorted positions of events that are not wanted.
    [[nodiscard]] static result<std::shared_ptr<feed>>
    open(journal& from, std::shared_ptr<blocking_executor> readers, std::shared_ptr<clock> time,
         std::shared_ptr<const projection_type> type, log_position after,
         std::vector<log_position> skip, std::size_t page_events, deliver to);

    ~feed();
    feed(const feed&) = delete;
    feed& operator=(const feed&) = delete;

    /// One more delivery is wanted. Thread-safe.
    void demand();
    /// No delivery begins after this, and the subscription goes with the feed. Thread-safe.
    void stop();

private:
    feed(const journal& from, std::shared_ptr<blocking_executor> readers,
         std::shared_ptr<clock> time, std::shared_ptr<const projection_type> type,
         std::vector<log_position> skip, std::size_t page_events, deliver to);

    /// What the journal's wake function knows of a feed.
    struct bell {
        std::mutex mutex;
        feed* target = nullptr;
    };

    /// A page of the log as it was read.
    struct read_page {
        event_page page;
        steady_time at{}; ///< when its reading began
    };

    void woken();
    void read();
    void read_ahead();
    [[nodiscard]] result<read_page> read_log();
    /// The next page, from the log or read ahead. Empty: it is being read ahead; that goes on here.
    [[nodiscard]] std::optional<result<read_page>> take_page();
    void start_reading_ahead();
    /// Precondition: mutex_ is held. Posts a reading if one is wanted and none runs.
    void post_if_wanted();
    [[nodiscard]] result<std::optional<fed_events>> next();
    [[nodiscard]] result<fed_events> decode_rest();
    /// Of the event at the end of a stretch without events for this projection, now and then.
    [[nodiscard]] result<void> mark_end(decoded_events& of);
    static constexpr log_position marks_apart = 4'096;

    const journal& journal_;
    const std::shared_ptr<blocking_executor> readers_;
    const std::shared_ptr<clock> clock_;
    const std::shared_ptr<const projection_type> type_;
    const std::vector<log_position> skip_;
    const std::size_t page_events_;
    const deliver to_;
    const std::shared_ptr<bell> bell_ = std::make_shared<bell>();

    std::unique_ptr<subscription> log_; ///< of whoever reads the log: one at a time

    // Of whoever has the turn: `reading_`.
    event_page page_;
    steady_time read_at_{};
    std::size_t next_in_page_ = 0;
    bool page_done_ = true;
    log_position marked_ = 0;

    std::mutex mutex_;
    std::size_t wanted_ = 0;
    bool reading_ = false;
    bool more_ = true; ///< the log may hold more than was read
    bool reading_ahead_ = false;
    std::optional<result<read_page>> ahead_;
    bool awaited_ = false; ///< who has the turn waits for what is read ahead
    bool rest_ = false;    ///< of the page that was read last; the log need not be asked
    bool stopped_ = false;
};

} // namespace annals
