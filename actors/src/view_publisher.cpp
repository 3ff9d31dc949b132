#include "annals/published.hpp"

#include <algorithm>

namespace annals {

view_publisher::~view_publisher() = default; // readers hold it: there are none

view_publisher::slot& view_publisher::take_slot() {
    const std::lock_guard lock(mutex_);
    for (const auto& each : slots_)
        if (!each->taken.exchange(true, std::memory_order_acquire))
            return *each;
    slots_.push_back(std::make_unique<slot>());
    slots_.back()->taken.store(true);
    return *slots_.back();
}

void view_publisher::publish(published_version version) {
    kept_.push_back(std::make_unique<const published_version>(std::move(version)));
    newest_.store(kept_.back().get(), std::memory_order_seq_cst);
    // A reader that pins an old version after this sees that it is not the newest, and looks again.
    std::vector<const published_version*> pinned;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& each : slots_)
            pinned.push_back(each->pinned.load(std::memory_order_seq_cst));
    }
    std::erase_if(kept_, [&, newest = kept_.back().get()](const auto& each) {
        return each.get() != newest &&
               std::find(pinned.begin(), pinned.end(), each.get()) == pinned.end();
    });
}

} // namespace annals
