#include "joint_meeting.hpp"

#include "messages.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace annals {

joint_meeting::joint_meeting(std::shared_ptr<joint_request> request, std::vector<participant> who,
                             std::shared_ptr<joint_board> board,
                             std::shared_ptr<annals::admission> admission)
    : request_(std::move(request)),
      board_(std::move(board)),
      admission_(std::move(admission)),
      missing_(who.size()),
      unanswered_(who.size()) {
    for (auto& each : who)
        places_.push_back({std::move(each), false});
}

void joint_meeting::begin() {
    std::vector<caf::actor> asked;
    {
        const std::lock_guard lock(board_->mutex);
        number_ = ++board_->meetings;
        asked = views();
    }
    admission_->deadlines.add(request_->deadline, shared_from_this());
    ask_all(asked, 0);
}

void joint_meeting::ask_all(const std::vector<caf::actor>& asked, std::uint64_t round) {
    for (std::size_t i = 0; i != asked.size(); ++i)
        caf::anon_send(asked[i], joint_message{std::make_shared<joint_call>(
                                     joint_part{shared_from_this(), i, round})});
}

void joint_meeting::arrived(const joint_part& part, log_position here) {
    std::vector<caf::actor> told;
    {
        const std::lock_guard lock(board_->mutex);
        if (!counts(part) || std::exchange(places_[part.index].here, true))
            return;
        places_[part.index].who.seat->arrive({number_, part.index}, part, here);
        if (--missing_ != 0)
            return;
        log_position foremost = request_->at_least;
        for (const place& each : places_)
            foremost = std::max(foremost, each.who.seat->reaches_);
        meeting_ = foremost;
        for (std::size_t i = 0; i != places_.size(); ++i)
            places_[i].who.seat->agree({number_, i}, foremost);
        told = views();
    }
    for (const auto& each : told)
        caf::anon_send(each, go_on_message{});
}

void joint_meeting::answer(const joint_part& part, const void* state, log_position position) {
    request_->answer_part(part.index, state, position);
    std::vector<place> gone; // destroyed outside the lock
    {
        const std::lock_guard lock(board_->mutex);
        if (!counts(part) || --unanswered_ != 0)
            return;
        over_ = true;
        gone = std::exchange(places_, {});
    }
    release(); // whoever has the answer may ask the next
    request_->finish(position);
}

void joint_meeting::begin_again(const joint_part& part) {
    std::vector<caf::actor> asked;
    std::uint64_t round = 0;
    {
        const std::lock_guard lock(board_->mutex);
        if (!counts(part))
            return;
        leave_seats();
        missing_ = unanswered_ = places_.size();
        round = ++round_;
        asked = views();
    }
    ask_all(asked, round);
}

void joint_meeting::fail(error why) {
    std::vector<place> gone;
    {
        const std::lock_guard lock(board_->mutex);
        if (std::exchange(over_, true))
            return;
        leave_seats();
        gone = std::exchange(places_, {});
    }
    release();
    request_->fail(std::move(why));
}

void joint_meeting::leave_seats() {
    for (std::size_t i = 0; i != places_.size(); ++i) {
        places_[i].who.seat->leave({number_, i}, meeting_);
        places_[i].here = false;
    }
    meeting_.reset();
}

std::vector<caf::actor> joint_meeting::views() const {
    std::vector<caf::actor> all;
    for (const place& each : places_)
        all.push_back(each.who.view);
    return all;
}

void joint_meeting::release() noexcept {
    admission_->deadlines.remove(this);
    admission_->release_query();
}

std::string joint_meeting::who_is_missing() const {
    std::string missing;
    const std::lock_guard lock(board_->mutex);
    for (const place& each : places_) {
        const std::string name = "\"" + each.who.gauge->name() + "\"";
        const log_position at = each.who.gauge->position();
        std::string why;
        if (!each.here)
            why = name + " had not taken the question";
        else if (meeting_ && at < *meeting_)
            why = name + " is at position " + std::to_string(at);
        if (!why.empty() && missing.find(why) == std::string::npos)
            missing += (missing.empty() ? "" : ", ") + why;
    }
    return missing;
}

void joint_meeting::expire() noexcept {
    const std::string missing = who_is_missing();
    std::optional<log_position> where;
    {
        const std::lock_guard lock(board_->mutex);
        where = meeting_;
    }
    fail({errc::version_out_of_reach,
          "the views did not meet at one position in time" +
              (where ? " (" + std::to_string(*where) + ")" : std::string()) +
              (missing.empty() ? std::string() : ": view " + missing) +
              "; ask again, or look at their status",
          where.value_or(0)});
}

joint_call::~joint_call() {
    if (part_.of)
        part_.of->fail(closed_error());
}

} // namespace annals
