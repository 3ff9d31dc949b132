#include "lane.hpp"

#include "engine_core.hpp"
#include "hosted_projection.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace annals {

namespace {

constexpr unsigned retries_of_a_reaction = 5;

/// Failures that say nothing about the event: the store, or rows in it, are at fault.
bool is_of_the_store(projection_kind kind, const sink_report& came) {
    return (came.lost && kind != projection_kind::view) ||
           (kind == projection_kind::stored_view && came.why->code == errc::corrupt);
}

/// The list changes hands in one transaction, so that its rows may not be of any size.
std::string beginning_of(const std::string& message) {
    constexpr std::size_t most = 512;
    if (message.size() <= most)
        return message;
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0U) == 0x80U)
        --end; // not within a character
    return message.substr(0, end) + "...";
}

std::chrono::milliseconds delay_before(unsigned attempt, const failure_policy& policy) {
    // A time beyond a century cannot be added to a clock's.
    constexpr std::chrono::milliseconds century = std::chrono::hours(24 * 365 * 100);
    const auto longest = std::min(policy.longest_delay, century);
    auto delay = std::min(policy.first_delay, longest);
    for (unsigned i = 1; i < attempt && delay < longest; ++i)
        delay = std::min(delay * 2, longest);
    return delay;
}

} // namespace

lane::lane(lane_owner& owner, engine_core& core, const hosted_projection& of, std::uint64_t id,
           generation_record generation, std::vector<log_position> skip)
    : owner_(owner),
      core_(core),
      of_(of),
      id_(id),
      generation_(std::move(generation)),
      skip_(std::move(skip)) {}

lane::~lane() {
    stop();
}

// --- beginning -------------------------------------------------------------------------------------

void lane::open() {
    forget_entries();
    mode_ = mode::opening;
    open_when_listed_ = being_set_aside() != 0; // where it begins depends on what becomes of that
    if (!open_when_listed_)
        owner_.read_start(*this, ++opening_);
}

void lane::opened(std::uint64_t opening, result<lane_start>& start) {
    if (opening != opening_ || mode_ != mode::opening)
        return;
    if (start)
        begin(*std::move(start));
    else
        fail(start.error());
}

void lane::begin(lane_start start) {
    forget_entries();
    position_ = start.checkpoint.done;
    events_ = start.checkpoint.events;
    marks_ = std::make_shared<slice_marks>(start.checkpoint);
    caught_up_ = false;
    read_at_.reset();
    lost_ = false;
    rewound_to_.reset();
    sink_ = owner_.make_sink(*this, std::move(start), epoch_);
    ++epoch_;
    if (auto started = start_feed(); !started) {
        fail(started.error());
        return;
    }
    mode_ = mode::running;
    owner_.lane_moved(*this);
    demand();
}

result<void> lane::start_feed() {
    auto deliver = [to = caf::actor_cast<caf::weak_actor_ptr>(owner_.self()), id = id_,
                    number = ++feed_number_](result<fed_events> came) {
        if (auto projection = caf::actor_cast<caf::actor>(to))
            caf::anon_send(projection, fed_message{id, number,
                                                   std::make_shared<const result<fed_events>>(
                                                       std::move(came))});
    };
    auto opened =
        feed::open(*core_.parts.journal, core_.parts.feeds, core_.parts.clock, of_.what.projection,
                   position_, skip_, core_.limits.page_events, std::move(deliver));
    if (!opened)
        return opened.error();
    feed_ = *std::move(opened);
    return {};
}

void lane::forget_entries() {
    if (feed_)
        feed_->stop();
    feed_.reset();
    demanded_ = false;
    for (const entry& each : entries_)
        if (each.replayed != 0)
            interrupt_replay(each.replayed);
    for (const entry& each : std::exchange(to_replay_, {}))
        interrupt_replay(each.replayed);
    entries_.clear();
    given_ = 0;
    storing_set_aside_ = false;
}

void lane::interrupt_replay(log_position position) {
    owner_.lane_replayed(position, error{errc::aborted,
                                         "the projection began again while the event "
                                         "was replayed; look whether it is still "
                                         "set aside, and replay it again",
                                         position});
}

void lane::stop() {
    mode_ = mode::stopped;
    forget_entries();
    if (sink_)
        sink_->stop();
    sink_.reset();
}

void lane::pause(bool on) {
    paused_ = on;
    if (!on) {
        give();
        demand();
    }
}

void lane::resume() {
    if (mode_ == mode::failed || mode_ == mode::retrying) {
        failing_ = 0;
        attempts_ = 0;
    }
    if (mode_ == mode::failed)
        open();
    else if (mode_ == mode::retrying)
        retry(timer_);
}

// --- the way of a slice ----------------------------------------------------------------------------

void lane::demand() {
    if (mode_ != mode::running || paused_ || demanded_ || entries_.size() >= most_entries || !feed_)
        return;
    demanded_ = true;
    feed_->demand();
}

void lane::fed(const fed_message& m) {
    if (m.feed != feed_number_ || !feed_)
        return;
    demanded_ = false;
    const auto& came = *m.came;
    if (!came) {
        feed_.reset();
        if (came.error().code != errc::closed)
            fail(came.error());
        return;
    }
    entry next;
    marks_->add(came->events);
    if (came->bad)
        marks_->add(came->bad->mark);
    next.events = came->events;
    next.bad = came->bad;
    entries_.push_back(std::move(next));
    give();
    demand();
}

void lane::give() {
    if (mode_ != mode::running || storing_set_aside_)
        return;
    if (!to_replay_.empty() && given_ == 0) {
        entries_.push_front(std::move(to_replay_.front()));
        to_replay_.pop_front();
        sink_->take({epoch_, entries_[0].events, 0, entries_[0].attempt, caution::each_slice,
                     entries_[0].replayed});
        given_ = 1;
    }
    while (!paused_ && to_replay_.empty() && given_ < entries_.size()) {
        if (given_ > 0 && (entries_[given_ - 1].bad || entries_[given_ - 1].replayed != 0))
            return; // what follows waits for what becomes of that event
        entry& next = entries_[given_++];
        sink_->take(
            {epoch_, next.events, next.first, next.attempt, care_for(*next.events), next.replayed});
    }
}

/// What comes before the event that failed last has been folded once, without a failure.
caution lane::care_for(const decoded_events& next) {
    if (failed_at_ == 0)
        return skip_.empty() ? caution::none : caution::now_and_then;
    if (next.through < failed_at_ || careful_left_ == 0)
        return caution::now_and_then;
    --careful_left_;
    return caution::each_slice;
}

void lane::reported(const sink_report& came) {
    if (came.epoch != epoch_ || entries_.empty() || mode_ != mode::running)
        return;
    position_ = std::max(position_, came.done);
    events_ += came.events;
    const decoded_events& front = *entries_.front().events;
    if (entries_.front().replayed == 0) { // a replay changes no position
        const bool at_end = came.finished && front.at_end;
        read_at_ = at_end ? std::optional(front.read_at) : std::nullopt;
        owner_.lane_reported(*this, came, read_at_);
    }
    if (came.why) {
        given_ = 0;
        handler_failed(came);
        return;
    }
    store_attempts_ = 0;
    if (came.finished)
        front_done();
    else
        owner_.lane_moved(*this);
}

void lane::front_done() {
    entry& front = entries_.front();
    if (front.bad) {
        front.slice_done = true;
        const undecodable_event bad = *front.bad;
        given_ = 0;
        event_failed(bad.position, bad.stream, bad.type, 1, false, bad.why);
        return;
    }
    const log_position replayed = front.replayed;
    if (replayed == 0)
        caught_up_ = caught_up_ || front.events->at_end;
    entries_.pop_front();
    --given_;
    if (replayed != 0)
        owner_.lane_replayed(replayed, {});
    give();
    demand();
    owner_.lane_moved(*this);
}

void lane::replay(std::shared_ptr<const decoded_events> event, log_position position) {
    entry one;
    one.events = std::move(event);
    one.replayed = position;
    one.attempt = 2; // it has been tried
    to_replay_.push_back(std::move(one));
    give();
}

// --- failures --------------------------------------------------------------------------------------

void lane::handler_failed(const sink_report& came) {
    lost_ = came.lost;
    rewound_to_ = came.rewound ? std::optional(came.done) : std::nullopt;
    entry& front = entries_.front();
    if (is_of_the_store(of_.what.projection->kind(), came)) {
        store_failed(*came.why);
        return;
    }
    if (front.replayed != 0) { // it stays in the list
        of_.gauge->failed_with(came.why->message);
        const log_position replayed = front.replayed;
        ++epoch_;
        entries_.pop_front();
        owner_.lane_replayed(replayed, *came.why);
        give();
        demand();
        owner_.lane_moved(*this);
        return;
    }
    const event_label label = front.events->label(came.next);
    if (label.position != failing_) {
        failing_ = label.position;
        attempts_ = 0;
    }
    ++attempts_;
    front.first = came.next;
    failed_at_ = label.position;
    careful_left_ = careful_slices;
    event_failed(label.position, std::string(label.stream), std::string(label.type), attempts_,
                 true, *came.why);
}

void lane::event_failed(log_position position, std::string stream, std::string type,
                        unsigned attempts, bool may_retry, const error& why) {
    of_.gauge->failed_with(why.message);
    const failure_policy& policy = of_.what.options.on_failure;
    const bool reacts = of_.what.projection->kind() == projection_kind::reaction;
    const unsigned retries = policy.retries.value_or(reacts ? retries_of_a_reaction : 0);
    if (may_retry && attempts <= retries)
        wait_and(lost_, attempts, why);
    else if (policy.then == failure_policy::last_resort::set_aside)
        set_aside(position, std::move(stream), std::move(type), attempts, why);
    else
        fail(why);
}

void lane::store_failed(const error& why) {
    of_.gauge->failed_with(why.message);
    if (is_final(why.code) || why.code == errc::handler_failed) // its constructor, say
        fail(why);
    else
        wait_and(true, ++store_attempts_, why);
}

void lane::wait_and(bool begin_again, unsigned attempts, const error&) {
    lost_ = begin_again;
    mode_ = mode::retrying;
    const auto due =
        core_.parts.clock->steady() + delay_before(attempts, of_.what.options.on_failure);
    core_.remind(due, owner_.self(), retry_message{id_, ++timer_});
    owner_.lane_moved(*this);
}

void lane::retry(std::uint64_t timer) {
    if (timer != timer_ || mode_ != mode::retrying)
        return;
    ++timer_;
    mode_ = mode::running;
    if (lost_)
        open();
    else if (rewound_to_)
        rewind(*rewound_to_);
    owner_.lane_moved(*this); // before the event is tried, so that nobody sees it wait meanwhile
    if (mode_ == mode::running)
        give_again();
}

void lane::give_again() {
    ++epoch_;
    given_ = 0;
    if (!entries_.empty())
        entries_.front().attempt = attempts_ + 1;
    give();
    demand();
}

void lane::rewind(log_position to) {
    forget_entries();
    rewound_to_.reset();
    position_ = to;
    caught_up_ = false;
    read_at_.reset();
    ++epoch_;
    if (auto started = start_feed(); !started)
        fail(started.error());
    else
        demand();
}

/// Stored first: an event is passed over only when it is certain that it is in the list.
void lane::set_aside(log_position position, std::string stream, std::string type, unsigned attempts,
                     const error& why) {
    stored_in_ = owner_.list_of(*this);
    if (of_.book->set_aside_count(stored_in_) >= most_set_aside) {
        fail({why.code,
              "event " + std::to_string(position) + " would be the " +
                  std::to_string(most_set_aside + 1) +
                  "th to be set aside, which is no exception any more: " + why.message +
                  ". Correct the cause, then rebuild or reset the projection",
              position});
        return;
    }
    set_aside_event record;
    record.position = position;
    record.stream = std::move(stream);
    record.type = std::move(type);
    record.code = to_string(why.code);
    record.message = beginning_of(why.message);
    record.attempts = attempts;
    record.time_us = core_.parts.clock->wall_time().time_since_epoch().count();
    row_changes changes;
    of_.book->put_set_aside(changes, stored_in_, record);
    being_stored_ = std::move(record);
    if (!lost_)
        sink_->pass_over(changes, position);
    storing_set_aside_ = true;
    of_.book->store().apply(
        std::move(changes), [to = caf::actor_cast<caf::weak_actor_ptr>(owner_.self()), id = id_,
                             epoch = epoch_, position](const result<void>& stored) {
            if (auto projection = caf::actor_cast<caf::actor>(to))
                caf::anon_send(projection, set_aside_message{id, epoch, position, stored});
        });
}

void lane::set_aside_stored(const set_aside_message& m) {
    const set_aside_event listed = std::exchange(being_stored_, {});
    if (m.stored && listed.position != 0) {
        owner_.lane_set_aside(*this, stored_in_, listed);
        if (const auto at = std::lower_bound(skip_.begin(), skip_.end(), m.position);
            at == skip_.end() || *at != m.position)
            skip_.insert(at, m.position);
    }
    if (!std::exchange(storing_set_aside_, false)) { // stopped or failed meanwhile
        if (mode_ == mode::opening && std::exchange(open_when_listed_, false))
            owner_.read_start(*this, ++opening_);
        return;
    }
    if (!m.stored) {
        lost_ = true; // the sink may believe that it stands behind the event
        store_failed(m.stored.error());
        return;
    }
    failing_ = 0;
    attempts_ = 0;
    if (lost_) {
        open();
        return;
    }
    if (rewound_to_) {
        rewind(*rewound_to_);
        owner_.lane_moved(*this);
        return;
    }
    position_ = std::max(position_, m.position);
    entry& front = entries_.front();
    if (front.slice_done) {
        entries_.pop_front();
    } else {
        ++front.first;
        front.attempt = 1;
    }
    give_again();
    owner_.lane_moved(*this);
}

void lane::fail(const error& why) {
    of_.gauge->failed_with(why.message);
    forget_entries();
    if (sink_)
        sink_->stop();
    sink_.reset();
    mode_ = mode::failed;
    owner_.lane_failed(*this, why);
}

} // namespace annals
