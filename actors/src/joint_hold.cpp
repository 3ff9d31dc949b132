#include "joint_hold.hpp"

#include "messages.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace annals {

void joint_hold::arrived(log_position position) {
    {
        const std::lock_guard lock(mutex_);
        foremost_ = std::max(foremost_, position);
        if (--missing_ != 0)
            return;
        meeting_ = std::max(foremost_, request_->at_least);
    }
    tell_all();
}

std::optional<log_position> joint_hold::meeting() const {
    const std::lock_guard lock(mutex_);
    return meeting_;
}

void joint_hold::answer(std::size_t part, const void* state, log_position position) {
    request_->answer_part(part, state, position);
    {
        const std::lock_guard lock(mutex_);
        if (--unanswered_ != 0)
            return;
        actors_.clear();
    }
    release(); // whoever has the answer may ask the next
    request_->finish(position);
}

void joint_hold::fail(error why) {
    release();
    request_->fail(std::move(why));
    tell_all();
    const std::lock_guard lock(mutex_);
    actors_.clear();
}

void joint_hold::release() noexcept {
    if (released_.exchange(true))
        return;
    admission_->deadlines.remove(request_->deadline, this);
    admission_->release_query();
}

void joint_hold::expire() noexcept {
    std::optional<log_position> where = meeting();
    fail({errc::version_out_of_reach,
          "the views did not meet at one position in time" +
              (where ? " (" + std::to_string(*where) + ")" : std::string()) +
              "; ask again, or look at their status",
          where.value_or(0)});
}

void joint_hold::tell_all() {
    std::vector<caf::actor> actors;
    {
        const std::lock_guard lock(mutex_);
        actors = actors_;
    }
    for (const auto& each : actors)
        caf::anon_send(each, go_on_message{});
}

} // namespace annals
