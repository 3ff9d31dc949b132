#include "admission.hpp"
#include "decision_line.hpp"
#include "messages.hpp"
#include "resident.hpp"

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

namespace annals {

namespace {

/// The engine and the journal are through with a command of `of`. Where aggregates are too many, each that has
/// no work any more makes room for one: so those without work are never too many.
void come_to_rest(const std::shared_ptr<resident> of,
                  const std::shared_ptr<admission>& credits) noexcept {
    if (!of || of->in_flight.fetch_sub(1) != 1 || !credits->residents.crowded())
        return;
    if (auto actor = caf::actor_cast<caf::actor>(of->address))
        caf::anon_send(actor, rested_message{});
}

} // namespace

std::span<const commit> command_request::commits() const noexcept {
    // A barrier stores nothing and completes in its turn.
    return {&commit_, is_barrier_ ? std::size_t{0} : std::size_t{1}};
}

/// On a thread of the journal. Success is answered here, without a message to the aggregate, which
/// has no use for it; anything else goes back to the aggregate, which decides what it means.
void command_request::completed(std::span<const append_result> results) noexcept {
    if (is_barrier_) {
        barrier_reached();
        return;
    }
    if (!results[0]) {
        give_back(results[0].error());
        return;
    }
    const append_receipt& where = *results[0];
    line_->stored(sequence_);
    aggregate_->last_position.store(where.position);
    aggregate_->settled.fetch_add(1);
    count(where.already_stored ? admission_->count.already_stored : admission_->count.stored);
    give(receipt{where.already_stored ? receipt::kind::already_stored : receipt::kind::stored,
                 where.position, where.version, about.command_id});
    give_back_share();
}

/// Everything that was appended before is complete, unless the journal refused the barrier. Whether
/// its answer holds is said by what it rests on, not by what failed after that.
void command_request::barrier_reached() noexcept {
    if (line_->is_stored(rests_on_)) {
        if (repeats_ != 0)
            aggregate_->waiting.fetch_add(1); // for the message that confirms it
        aggregate_->settled.fetch_add(1);
        if (repeats_ != 0) {
            confirm_repeated();
            return;
        }
        answer_without_events();
        give_back_share();
    } else if (line_->broken_at(rests_on_)) {
        give_back(predecessor_not_stored());
    } else if (repeats_ != 0) { // refused, while what it rests on is on its way
        give_back({errc::outcome_unknown,
                   "an earlier command with this id is on its way to the disk, and the journal "
                   "takes nothing more in; send the command again with the same command id"});
    } else {
        give_back({errc::overloaded,
                   "the journal takes nothing more in just now; send the command again"});
    }
}

/// Handed over in aggregate_actor::append.
void command_request::give_back_share() noexcept {
    if (holders_.fetch_sub(1, std::memory_order_acq_rel) != 1)
        return;
    let_go();
    come_to_rest(std::move(aggregate_), admission_);
}

/// What the first command stored is durable; the aggregate looks its receipt up.
void command_request::confirm_repeated() noexcept {
    const command_ref custody(shared_from_this());
    give_back_share(); // ours is counted by now
    if (auto actor = caf::actor_cast<caf::actor>(aggregate_->address))
        caf::anon_send(actor, repeated_message{command_ref(shared_from_this())});
}

void command_request::answer_repeated(const journal& log, stream_version version) noexcept {
    auto page = log.read_stream(aggregate_->stream, version, 1);
    if (!page) {
        if (page.error().code == errc::closed)
            abandon();
        else
            fail(page.error());
        return;
    }
    if (page->events.empty() || page->events[0].command_id != about.command_id) {
        fail(error{errc::corrupt, "version " + std::to_string(version) + " of " +
                                      aggregate_->stream +
                                      " is not what this command stored; verify the store"});
        return;
    }
    count(admission_->count.already_stored);
    give(receipt{receipt::kind::already_stored, page->events[0].position, version,
                 about.command_id});
}

void command_request::give_back(error why) noexcept {
    const command_ref custody(shared_from_this());
    give_back_share(); // ours is counted by now
    append_error_ = std::make_unique<error>(std::move(why));
    if (auto actor = caf::actor_cast<caf::actor>(aggregate_->address))
        caf::anon_send(actor, returned_message{custody});
}

void command_request::answer_without_events() noexcept {
    if (refused_) {
        count(admission_->count.rejected);
        give(std::move(*refused_));
        return;
    }
    count(admission_->count.nothing);
    give(receipt{receipt::kind::nothing_to_do, aggregate_->last_position.load(), decided_version_,
                 about.command_id});
}

bool command_request::fail(error why) noexcept {
    if (holders_.load(std::memory_order_acquire) <= 1)
        let_go();
    return fail_unless_answered(std::move(why));
}

bool command_request::fail_unless_answered(error why) noexcept {
    if (answered())
        return false;
    why.command_id = about.command_id;
    if (chain)
        chain->break_off(); // before anybody can see the answer
    if (admission_)
        count(admission_->count.failed);
    return complete(std::move(why));
}

void command_request::fail_with(const command_request& lost) noexcept {
    const errc own = append_error_ ? append_error_->code : errc::predecessor_failed;
    if (own != errc::predecessor_failed && own != errc::version_conflict) {
        fail(*append_error_); // what the journal says of this commit itself
        return;
    }
    if (!lost.append_error_ || lost.append_error_->code != errc::outcome_unknown) {
        fail(predecessor_not_stored());
        return;
    }
    if (repeats_ != 0)
        fail(error{errc::outcome_unknown,
                   "it is not known whether the command that this one repeats is stored; send it "
                   "again with the same command id"});
    else
        fail(error{errc::predecessor_failed,
                   "nothing of this command is stored. It was decided on top of an earlier one of "
                   "this aggregate, of which it is not known whether it is stored; send it again"});
}

bool command_request::begin(const clock& time) noexcept {
    // The clock's own look at the deadlines may come later.
    if (stage_.load() == stage::waiting && deadline != steady_time::max() &&
        deadline <= time.steady())
        expire();
    auto before = stage::waiting;
    if (stage_.compare_exchange_strong(before, stage::started) || before == stage::started)
        return true;
    // The clock has claimed it and may not have come to the answer, but the next command of its chain may be
    // decided right after this.
    if (chain)
        chain->break_off();
    return false;
}

void command_request::expire() noexcept {
    auto before = stage::waiting;
    if (stage_.compare_exchange_strong(before, stage::answered)) {
        let_go(); // nobody looks into it any more
        fail_unless_answered(
            error{errc::deadline_exceeded,
                  "the command was not started before its deadline; this sending stored nothing. "
                  "Send it again if it is still wanted"});
        return;
    }
    if (before == stage::answered)
        return; // whoever begins it and the clock came at once, and the other one answers
    // The journal may be reading it, so its memory stays, and counts, until that is over.
    fail_unless_answered(
        error{errc::outcome_unknown,
              "the command was started but not stored before its deadline and may still be "
              "stored; send it again with the same command id to find out"});
}

// --- memory --------------------------------------------------------------------------------------

void command_request::charge_sent() noexcept {
    held_bytes_ += memory_of(aggregate_id) + memory_of(about.actor) + memory_of(about.extra);
}

void command_request::charge_decided() noexcept {
    const std::size_t events = encoded_.entries().size();
    std::size_t now = encoded_.held_bytes();
    if (events > 1)
        now += allocated_bytes(events * sizeof(new_event));
    if (refused_)
        now += sizeof(annals::rejection) + memory_of(refused_->code) + memory_of(refused_->message);
    admission_->charge_more(static_cast<std::ptrdiff_t>(now) -
                            static_cast<std::ptrdiff_t>(decided_bytes_));
    decided_bytes_ = now;
}

void command_request::let_go() noexcept {
    if (let_go_.exchange(true, std::memory_order_acq_rel))
        return;
    if (admission_)
        admission_->release_bytes(charged_bytes());
    line_.reset();
    if (held_bytes_ + decided_bytes_ <= kept_bytes)
        return;
    drop_command();
    std::string().swap(aggregate_id);
    std::string().swap(about.actor);
    about.extra.clear();
    encoded_.let_go();
    std::vector<new_event>().swap(more_events_);
}

bool command_request::give(outcome<receipt> answer) noexcept {
    if (holders_.load(std::memory_order_acquire) <= 1)
        let_go();
    return complete(std::move(answer));
}

void command_request::abandon() noexcept {
    // What the journal could not tell, or an earlier command with this id has stored, is not to be
    // called "not stored".
    if (repeats_ != 0 || (append_error_ && append_error_->code == errc::outcome_unknown)) {
        fail(error{errc::outcome_unknown,
                   "the runtime stopped before it was known whether the command is stored; send "
                   "it again with the same command id after opening the store"});
        return;
    }
    fail(error{errc::aborted, "the command was dropped while the runtime stopped; this sending "
                              "stored nothing. Send it again after opening the store"});
}

void command_request::on_answering(const outcome<receipt>&) noexcept {
    if (!admission_)
        return;
    if (deadline != steady_time::max())
        admission_->deadlines.remove(this);
    admission_->release_command();
}

command_ref::~command_ref() {
    if (!request_ || request_->holders_.fetch_sub(1, std::memory_order_acq_rel) != 1)
        return;
    // A deadline that has claimed it is about to answer.
    if (!request_->answered() && request_->stage_.load() != command_request::stage::answered)
        request_->abandon();
    request_->let_go();
    come_to_rest(std::move(request_->aggregate_), request_->admission_);
}

} // namespace annals
