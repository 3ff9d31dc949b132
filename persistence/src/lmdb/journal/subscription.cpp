#include "lmdb/journal/subscription.hpp"

namespace annals::lmdb {

log_subscription::log_subscription(std::shared_ptr<store> of, log_position after,
                                   event_filter filter, std::function<void()> function)
    : store_(std::move(of)),
      after_(after),
      filter_(std::move(filter)),
      wake_(std::make_shared<wake>(std::move(function))) {
    store_->followers.add(wake_);
}

log_subscription::~log_subscription() {
    if (store_->unusable())
        return; // the lock may be held by a thread that only the parent process has
    store_->followers.remove(wake_);
    wake_->silence();
}

result<event_page> log_subscription::next(std::size_t max) {
    if (auto why = store_->unusable())
        return *why;
    wake_->disarm();
    auto page = store_->reads.read_all(after_, max, filter_);
    if (!page)
        return page;
    after_ = page->through;
    if (!page->at_end)
        return page;
    wake_->arm();
    // What happened between the reading and the arming has rung for nobody.
    if (store_->head.load() > after_ || store_->gate.closed()) {
        wake_->disarm();
        page->at_end = false;
    }
    return page;
}

} // namespace annals::lmdb
