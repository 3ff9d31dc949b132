#include "feed.hpp"

#include "annals/future.hpp"
#include "annals/hosting.hpp"

#include <utility>

namespace annals {

feed::feed(const journal& from, std::shared_ptr<blocking_executor> readers,
           std::shared_ptr<clock> time, std::shared_ptr<const projection_type> type,
           std::vector<log_position> skip, std::size_t page_events, deliver to)
    : journal_(from),
      readers_(std::move(readers)),
      clock_(std::move(time)),
      type_(std::move(type)),
      skip_(std::move(skip)),
      page_events_(page_events),
      to_(std::move(to)) {}

result<std::shared_ptr<feed>> feed::open(journal& from, std::shared_ptr<blocking_executor> readers,
                                         std::shared_ptr<clock> time,
                                         std::shared_ptr<const projection_type> type,
                                         log_position after, std::vector<log_position> skip,
                                         std::size_t page_events, deliver to) {
    const event_filter filter = type->filter();
    std::shared_ptr<feed> made(new feed(from, std::move(readers), std::move(time), std::move(type),
                                        std::move(skip), page_events, std::move(to)));
    made->marked_ = after;
    made->bell_->target = made.get();
    auto log = from.subscribe(after, filter, [bell = made->bell_] {
        const std::lock_guard lock(bell->mutex);
        if (bell->target != nullptr)
            bell->target->woken();
    });
    if (!log)
        return log.error();
    made->log_ = *std::move(log);
    return made;
}

feed::~feed() {
    // A wake must not hold this feed: were it the last to do so, the subscription would end inside
    // its own wake, for which its destructor waits.
    const std::lock_guard lock(bell_->mutex);
    bell_->target = nullptr;
}

void feed::demand() {
    const std::lock_guard lock(mutex_);
    ++wanted_;
    post_if_wanted();
}

void feed::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
}

void feed::woken() {
    const std::lock_guard lock(mutex_);
    more_ = true;
    post_if_wanted();
}

void feed::post_if_wanted() {
    if (reading_ || stopped_ || wanted_ == 0 || !(more_ || rest_ || reading_ahead_ || ahead_))
        return;
    auto me = weak_from_this().lock();
    if (!me)
        return; // it is being destroyed
    reading_ = true;
    readers_->post([me = std::move(me)] { me->read(); });
}

/// One page at a time, so that several feeds share the executor's threads fairly.
void feed::read() {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_)
            return; // `reading_` stays: nothing is posted any more
    }
    std::optional<error> ended;
    if (page_done_) {
        auto next = take_page();
        if (!next)
            return; // `read_ahead` goes on with this turn
        if (*next) {
            page_ = std::move((*next)->page);
            read_at_ = (*next)->at;
            next_in_page_ = 0;
            page_done_ = false;
            if (!page_.at_end)
                start_reading_ahead();
        } else {
            ended = next->error();
        }
    }
    std::optional<fed_events> came;
    if (!ended) {
        if (auto decoded = decode_rest())
            came = *std::move(decoded);
        else
            ended = decoded.error();
    }
    if (came && came->events->through == 0 && !page_.at_end && !came->bad)
        came.reset(); // nothing to say
    const bool rest = !ended && !page_done_;
    {
        const std::lock_guard lock(mutex_);
        if (stopped_)
            return;
        stopped_ = ended.has_value();
        if (ended || came)
            --wanted_;
    }
    // Delivered before the next turn may begin, so that deliveries keep their order.
    if (ended)
        to_(*ended);
    else if (came)
        to_(*std::move(came));
    const std::lock_guard lock(mutex_);
    reading_ = false;
    rest_ = rest;
    post_if_wanted();
}

result<feed::read_page> feed::read_log() {
    {
        const std::lock_guard lock(mutex_);
        more_ = false; // a wake that comes while reading must not be forgotten
    }
    read_page made;
    made.at = clock_->steady();
    auto page = log_->next(page_events_);
    if (!page)
        return page.error();
    made.page = *std::move(page);
    return made;
}

std::optional<result<feed::read_page>> feed::take_page() {
    {
        const std::lock_guard lock(mutex_);
        if (reading_ahead_) {
            awaited_ = true;
            return {};
        }
        if (ahead_)
            return std::exchange(ahead_, std::nullopt);
    }
    return read_log();
}

void feed::start_reading_ahead() {
    const std::lock_guard lock(mutex_);
    if (auto me = weak_from_this().lock(); me && !stopped_) {
        reading_ahead_ = true;
        readers_->post([me = std::move(me)] { me->read_ahead(); });
    }
}

/// While the page before is decoded on another thread.
void feed::read_ahead() {
    auto page = read_log();
    {
        const std::lock_guard lock(mutex_);
        reading_ahead_ = false;
        ahead_ = std::move(page);
        if (!std::exchange(awaited_, false)) {
            post_if_wanted();
            return;
        }
    }
    read();
}

result<void> feed::mark_end(decoded_events& of) {
    marked_ = std::max(marked_, of.marked.position);
    if (of.through < marked_ + marks_apart)
        return {};
    const auto last = journal_.read_all(of.through - 1, 1, {});
    if (!last)
        return last.error();
    if (!last->events.empty() && last->events.front().position == of.through) {
        of.marked = mark_of(last->events.front());
        marked_ = of.through;
    }
    return {};
}

result<fed_events> feed::decode_rest() {
    const no_blocking_scope scope; // the host's codecs run here
    decoding made;
    try {
        made = type_->decode(page_, next_in_page_, skip_);
    } catch (...) {
        return error{errc::handler_failed, "decoding for \"" + std::string(type_->name()) +
                                               "\" threw: " + describe_current_exception() +
                                               "; correct the codec"};
    }
    made.decoded->read_at = read_at_;
    decoded_events* const fed_now = made.decoded.get();
    fed_events fed{std::move(made.decoded), {}};
    if (made.status) {
        if (auto marked = mark_end(*fed_now); !marked)
            return marked.error();
        page_done_ = true;
        page_.events.clear();
        page_.memory.reset();
        return fed;
    }
    const stored_event& bad = page_.events[made.next];
    fed.bad = undecodable_event{bad.position, std::string(bad.stream), std::string(bad.type),
                                made.status.error(), mark_of(bad)};
    next_in_page_ = made.next + 1;
    return fed;
}

} // namespace annals
