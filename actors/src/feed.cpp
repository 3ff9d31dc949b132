#include "feed.hpp"

#include "annals/future.hpp"
#include "annals/hosting.hpp"

#include <utility>

namespace annals {

feed::feed(std::shared_ptr<blocking_executor> readers, std::shared_ptr<clock> time,
           std::shared_ptr<const projection_type> type, std::vector<log_position> skip,
           std::size_t page_events, deliver to)
    : readers_(std::move(readers)),
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
    std::shared_ptr<feed> made(new feed(std::move(readers), std::move(time), std::move(type),
                                        std::move(skip), page_events, std::move(to)));
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
    if (reading_ || stopped_ || wanted_ == 0 || !(more_ || rest_))
        return;
    auto me = weak_from_this().lock();
    if (!me)
        return; // it is being destroyed
    reading_ = true;
    if (!rest_)
        more_ = false; // a wake that comes while reading must not be forgotten
    readers_->post([me = std::move(me)] { me->read(); });
}

/// One page at a time, so that several feeds share the executor's threads fairly.
void feed::read() {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_)
            return; // `reading_` stays: nothing is posted any more
    }
    auto came = next();
    const bool ended = !came.has_value();
    const bool delivers = ended || came->has_value();
    const bool rest = !ended && !page_done_;
    const bool more = !ended && page_done_ && !page_.at_end;
    {
        const std::lock_guard lock(mutex_);
        if (stopped_)
            return;
        stopped_ = ended;
        if (delivers)
            --wanted_;
    }
    // Delivered before the next reading may begin, so that deliveries keep their order.
    if (ended)
        to_(came.error());
    else if (delivers)
        to_(**std::move(came));
    const std::lock_guard lock(mutex_);
    reading_ = false;
    rest_ = rest;
    more_ = more_ || more;
    post_if_wanted();
}

result<std::optional<fed_events>> feed::next() {
    if (page_done_) {
        read_at_ = clock_->steady();
        auto page = log_->next(page_events_);
        if (!page)
            return page.error();
        page_ = *std::move(page);
        next_in_page_ = 0;
        page_done_ = false;
    }
    auto fed = decode_rest();
    if (!fed)
        return fed.error();
    if (fed->events->through == 0 && !page_.at_end && !fed->bad)
        return std::optional<fed_events>();
    return std::optional<fed_events>(*std::move(fed));
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
    fed_events fed{std::move(made.decoded), {}};
    if (made.status) {
        page_done_ = true;
        page_.events.clear();
        page_.memory.reset();
        return fed;
    }
    const stored_event& bad = page_.events[made.next];
    fed.bad = undecodable_event{bad.position, std::string(bad.stream), std::string(bad.type),
                                made.status.error()};
    next_in_page_ = made.next + 1;
    return fed;
}

} // namespace annals
