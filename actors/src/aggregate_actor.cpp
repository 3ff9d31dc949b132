#include "aggregate_actor.hpp"

#include "annals/host.hpp"
#include "command_recall.hpp"
#include "stream_reading.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace annals {

namespace {

/// Appended when a recovery or a recall begins. It completes after everything appended before it, and
/// by then whatever was not stored is in the actor's mailbox, because both come from the same thread.
class settling_barrier final : public append_operation {
public:
    settling_barrier(caf::weak_actor_ptr to, std::uint64_t number)
        : to_(std::move(to)),
          number_(number) {}
    std::span<const commit> commits() const noexcept override { return {}; }
    void completed(std::span<const append_result>) noexcept override {
        if (auto actor = caf::actor_cast<caf::actor>(to_))
            caf::anon_send(actor, settled_message{number_});
    }

private:
    const caf::weak_actor_ptr to_;
    const std::uint64_t number_;
};

encoded_events::limits limits_of(const journal_capabilities& log) {
    encoded_events::limits within; // a journal that says 0 says nothing
    if (log.max_event_bytes != 0)
        within.event_bytes = log.max_event_bytes;
    if (log.max_commit_bytes != 0)
        within.commit_bytes = log.max_commit_bytes;
    return within;
}

/// A command id that two different commands have been given.
error other_command(const uuid& id, bool of_another_type) {
    return {errc::invalid_argument,
            "this aggregate has had another command with the id " + id.to_string() +
                (of_another_type ? ", of another type" : ", with other fields") +
                "; nothing of this one is stored. Give each command an id of its own"};
}

} // namespace

aggregate_actor::aggregate_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core,
                                 std::shared_ptr<resident> self)
    : caf::event_based_actor(cfg),
      core_(std::move(core)),
      self_(std::move(self)),
      event_limits_(limits_of(core_->parts.journal->capabilities())),
      remembered_(core_->limits.remembered_commands),
      given_(core_->limits.remembered_commands) {
    core_->actor_began();
}

aggregate_actor::~aggregate_actor() = default;

caf::behavior aggregate_actor::make_behavior() {
    // The last line of defence: the host's exceptions are caught where its code is called.
    set_exception_handler([](caf::scheduled_actor*, std::exception_ptr&) -> caf::error {
        return caf::exit_reason::unhandled_exception;
    });
    return {
        [this](const command_message& m) {
            const no_blocking_scope scope;
            on_command(std::move(m.command));
        },
        [this](const stretch_message& m) {
            const no_blocking_scope scope;
            on_stretch(m);
        },
        [this](const returned_message& m) {
            const no_blocking_scope scope;
            on_returned(m.command);
        },
        [this](const repeated_message& m) { on_repeated(m.command); },
        [this](const settled_message& m) {
            const no_blocking_scope scope;
            on_settled(m.barrier);
        },
        [this](const recalled_message& m) {
            const no_blocking_scope scope;
            on_recalled(m);
        },
        [this](const passivate_message&) { on_passivate(); },
        [this](const rested_message&) { core_->directory().make_room(*self_); },
    };
}

void aggregate_actor::on_exit() {
    core_->directory().forget(*self_);
    stash_.clear();
    returned_.clear();
    state_.reset();
}

/// The last thing an actor does: its mailbox is empty then, and what was in it is answered.
bool aggregate_actor::cleanup(caf::error&& why, caf::execution_unit* host) {
    const bool first = caf::event_based_actor::cleanup(std::move(why), host);
    if (const auto core = std::exchange(core_, nullptr))
        core->actor_ended();
    return first;
}

// --- messages ------------------------------------------------------------------------------------

void aggregate_actor::on_command(command_ref command) {
    command->sequence_ = ++sequence_;
    if (can_decide(*command)) {
        decide(std::move(command));
        return;
    }
    stash_.push_back(std::move(command));
    if (phase_ == phase::empty)
        start_loading();
}

void aggregate_actor::on_stretch(const stretch_message& stretch) {
    if (phase_ != phase::loading || stretch.reading != reading_)
        return;
    const result<event_page>& page = *stretch.page;
    if (page && stretch.first != version_ + 1) {
        early_ = stretch;
        return;
    }
    if (auto applied = page ? apply(*page) : page.error(); !applied) {
        fail_waiting(applied.error());
        return;
    }
    if (early_.page && early_.first == version_ + 1)
        on_stretch(std::exchange(early_, {}));
    else if (stretch.followed_by == version_ + 1)
        return; // it is on its way
    else if (stretch.followed_by == 0 && page->at_end)
        become_ready();
    else
        read_on(); // also after a first half that was cut short by its size
}

void aggregate_actor::on_returned(command_ref command) {
    ++returned_count_;
    returned_.push_back(std::move(command));
    if (phase_ == phase::ready || phase_ == phase::empty || phase_ == phase::recalling)
        start_recovery();
}

void aggregate_actor::on_settled(std::uint64_t barrier) {
    if (barrier != barrier_)
        return;
    if (phase_ == phase::recalling) {
        if (all_settled())
            core_->parts.readers->post(command_recall{
                core_->parts.journal, self_, core_->limits.remembered_commands,
                core_->limits.page_events, caf::actor_cast<caf::actor>(this), ++reading_});
        else
            append_settling_barrier(); // a journal that refuses let this one overtake
        return;
    }
    if (phase_ != phase::recovering)
        return;
    sort_out_returned();
    if (stash_.empty()) {
        phase_ = phase::empty;
        core_->directory().make_room(*self_); // it could not leave while it recovered
    } else {
        start_loading();
    }
}

void aggregate_actor::on_passivate() {
    const bool at_rest = (phase_ == phase::ready || phase_ == phase::empty) && stash_.empty() &&
                         returned_.empty() && all_settled();
    if (!at_rest) {
        core_->directory().stay(*self_);
        return;
    }
    if (!core_->directory().try_leave(*self_))
        return;
    count(core_->admission->count.passivations);
    quit();
}

void aggregate_actor::on_repeated(const command_ref& command) {
    self_->waiting.fetch_sub(1); // raised when the message was sent
    answer_from_journal(command);
}

// --- deciding ------------------------------------------------------------------------------------

bool aggregate_actor::all_settled() const noexcept {
    return appended_ == self_->settled.load() + returned_count_;
}

/// For a command that leaves those that wait to be decided.
void aggregate_actor::stop_waiting(command_request& command) noexcept {
    if (!std::exchange(command.waits_, false))
        return;
    self_->waiting_bytes.fetch_sub(command.sent_bytes());
    self_->waiting.fetch_sub(1);
}

void aggregate_actor::wait_again(command_request& command) noexcept {
    if (std::exchange(command.waits_, true))
        return;
    self_->waiting_bytes.fetch_add(command.sent_bytes());
    self_->waiting.fetch_add(1);
}

/// False if it has to wait: nothing that is decided on a broken line would be stored, and what may be a
/// repetition is decided when the ids are known.
bool aggregate_actor::can_decide(const command_request& next) {
    if (phase_ != phase::ready)
        return false;
    if (line_->broken()) {
        start_recovery();
        return false;
    }
    knows_given_ = knows_given_ || (next.named_ && version_ == 0); // there are none
    if (!must_recall(next))
        return true;
    start_recalling();
    return false;
}

void aggregate_actor::decide(command_ref command) {
    stop_waiting(*command);
    if (!command->begin(*core_->parts.clock))
        return;
    if (command->chain && command->chain->broken()) {
        give_up(command,
                {errc::predecessor_failed, "an earlier command of its chain failed; repeat the "
                                           "chain from there"});
        return;
    }
    command->repeats_ = 0; // it may be decided again, after what it repeated was not stored
    if (command->named_ && !command->commit_.fingerprint.known())
        command->commit_.fingerprint = command->fingerprint();
    if (const auto* const first = repeated(*command)) {
        answer_repeated(std::move(command), *first);
        return;
    }
    metadata& about = command->about;
    if (about.time == timestamp{})
        about.time = core_->parts.clock->wall_time();
    const command_context context{self_->id(), version_, about};
    command->encoded_.clear();
    const verdict made = state_->decide(command->command_index_, command->command(), context,
                                        self_->stream, event_limits_, command->encoded_);
    conclude(std::move(command), made);
}

void aggregate_actor::conclude(command_ref command, const verdict& made) {
    command->line_ = line_;
    if (made.what == verdict::kind::rejected)
        command->refused_ = std::make_unique<rejection>(made.refused);
    else
        command->refused_.reset();
    command->charge_decided();
    switch (made.what) {
    case verdict::kind::events:
        append_events(std::move(command));
        return;
    case verdict::kind::failed:
        give_up(command, made.failure);
        if (made.state_lost)
            start_recovery();
        return;
    case verdict::kind::no_events:
    case verdict::kind::rejected:
        command->decided_version_ = version_;
        // An answer that rests on events not yet durable waits for them.
        if (line_->is_stored(last_place_))
            command->answer_without_events();
        else
            append_barrier(std::move(command), last_place_);
        return;
    }
}

/// What an earlier command with this id has stored; null if there was none.
const remembered_commands::entry* aggregate_actor::repeated(const command_request& command) const {
    if (!command.named_)
        return nullptr;
    const uuid& id = command.about.command_id;
    const auto* const first = remembered_.find(id);
    return first != nullptr ? first : given_.find(id);
}

/// A repeated command gets the receipt of the first one, when that one is durable. Whatever else is on
/// its way does not matter to it.
void aggregate_actor::answer_repeated(command_ref command,
                                      const remembered_commands::entry& first) {
    const command_fingerprint& mine = command->commit_.fingerprint;
    if (mine.differs_from(first.fingerprint)) {
        give_up(command, other_command(command->about.command_id,
                                       mine.type_differs_from(first.fingerprint)));
        return;
    }
    command->line_ = line_;
    command->repeats_ = first.version;
    if (line_->is_stored(first.place))
        answer_from_journal(std::move(command));
    else
        append_barrier(std::move(command), first.place);
}

/// The position of a stored version is not kept in memory; repeating is rare enough to look it up.
void aggregate_actor::answer_from_journal(command_ref command) {
    core_->parts.readers->post([command = std::move(command), journal = core_->parts.journal] {
        command->answer_repeated(*journal, command->repeats_);
    });
}

void aggregate_actor::append_events(command_ref command) {
    command_request& r = *command;
    const auto entries = r.encoded_.entries();
    const auto as_new_event = [&r](const encoded_events::entry& e) {
        return new_event{e.type, r.encoded_.payload(e)};
    };
    if (entries.size() == 1) {
        r.one_event_[0] = as_new_event(entries[0]);
        r.commit_.events = r.one_event_;
    } else {
        r.more_events_.clear();
        std::transform(entries.begin(), entries.end(), std::back_inserter(r.more_events_),
                       as_new_event);
        r.commit_.events = r.more_events_;
    }
    r.commit_.stream = self_->stream;
    r.commit_.expected = expected_version::exactly(version_);
    r.commit_.about = &r.about;
    r.commit_.command_named = r.named_;
    r.commit_.pipeline = line_.get();
    r.commit_.place = last_place_ = r.sequence_;
    r.is_barrier_ = false;
    r.has_decided_events_ = true;
    version_ += entries.size();
    if (!r.commit_.fingerprint.known())
        r.commit_.fingerprint = r.fingerprint();
    remember(r.about.command_id, {version_, last_place_, r.commit_.fingerprint}, r.named_);
    append(std::move(command));
}

void aggregate_actor::append_barrier(command_ref command, pipeline::place rests_on) {
    command->is_barrier_ = true;
    command->rests_on_ = rests_on;
    append(std::move(command));
}

void aggregate_actor::append(command_ref command) {
    ++appended_;
    core_->parts.journal->append(std::move(command).hand_over());
}

// --- knowing commands again ----------------------------------------------------------------------

/// A named command may repeat one whose id annals has made: then that id is in the log only.
bool aggregate_actor::must_recall(const command_request& command) const {
    return command.named_ && !knows_given_ && !remembered_.find(command.about.command_id);
}

void aggregate_actor::start_recalling() {
    phase_ = phase::recalling;
    append_settling_barrier();
}

void aggregate_actor::on_recalled(const recalled_message& recalled) {
    if (phase_ != phase::recalling || recalled.reading != reading_)
        return;
    phase_ = phase::ready;
    if (*recalled.commands) {
        for (const auto& [id, version, fingerprint] : **recalled.commands)
            given_.add(id, {.version = version, .fingerprint = fingerprint});
        knows_given_ = true;
    } else {
        // Only those that may be repetitions cannot go on.
        for (auto& waiting : stash_) {
            if (!waiting || !must_recall(*waiting))
                continue;
            const auto command = std::exchange(waiting, {});
            stop_waiting(*command);
            give_up(command, recalled.commands->error());
        }
    }
    decide_waiting();
}

void aggregate_actor::remember(const uuid& id, const remembered_commands::entry& stored,
                               bool named) {
    if (named)
        remembered_.add(id, stored);
    else if (knows_given_)
        given_.add(id, stored);
}

// --- loading -------------------------------------------------------------------------------------

void aggregate_actor::start_loading() {
    phase_ = phase::loading;
    try {
        state_ = self_->type.make();
    } catch (...) {
        fail_waiting({errc::handler_failed,
                      "the aggregate's constructor threw: " + describe_current_exception() +
                          "; correct it, then send again"});
        return;
    }
    version_ = 0;
    remembered_.clear();
    given_.clear();
    knows_given_ = knows_given_ || core_->limits.remembered_commands == 0 ||
                   std::any_of(stash_.begin(), stash_.end(),
                               [](const command_ref& command) { return command->named_; });
    line_ = std::make_shared<decision_line>();
    last_place_ = 0;
    count(core_->admission->count.rehydrations);
    read_on();
}

void aggregate_actor::read_on() {
    ++reading_;
    early_ = {};
    core_->parts.readers->post(stream_reading{core_->parts.journal, core_->parts.readers, self_,
                                              version_ + 1, core_->limits,
                                              caf::actor_cast<caf::actor>(this), reading_});
}

result<void> aggregate_actor::apply(const event_page& page) {
    for (const stored_event& happened : page.events) {
        if (auto applied = state_->apply(happened); !applied)
            return applied;
        version_ = happened.version;
        if (happened.ends_commit)
            remember(happened.command_id, {happened.version, 0, happened.fingerprint()},
                     happened.command_named);
        self_->last_position.store(happened.position);
    }
    return {};
}

void aggregate_actor::become_ready() {
    if (!returned_.empty()) { // something came back after its recovery was over
        start_recovery();
        return;
    }
    phase_ = phase::ready;
    decide_waiting();
}

void aggregate_actor::decide_waiting() {
    // Deciding may begin a recovery, for whose end the rest waits, and may give up some of the rest.
    std::size_t next = 0;
    for (; next != stash_.size(); ++next) {
        if (!stash_[next])
            continue;
        if (!can_decide(*stash_[next]))
            break;
        decide(std::exchange(stash_[next], {}));
    }
    stash_.erase(stash_.begin(), stash_.begin() + static_cast<std::ptrdiff_t>(next));
    std::erase_if(stash_, [](const command_ref& command) { return !command; });
}

void aggregate_actor::fail_waiting(const error& why) {
    phase_ = phase::empty;
    state_.reset();
    for (auto& command : std::exchange(stash_, {})) {
        stop_waiting(*command);
        command->fail(why);
    }
    if (!returned_.empty())
        start_recovery();
}

// --- recovering ----------------------------------------------------------------------------------

void aggregate_actor::start_recovery() {
    phase_ = phase::recovering;
    state_.reset();
    append_settling_barrier();
}

void aggregate_actor::append_settling_barrier() {
    core_->parts.journal->append(std::make_shared<settling_barrier>(self_->address, ++barrier_));
}

/// After a conflict the stream holds events this aggregate has not seen: what was decided without
/// them is decided again, in the same order. After any other failure, or too many conflicts, a
/// command fails, and what was decided on top of it fails with it: its sender believed in the first.
void aggregate_actor::sort_out_returned() {
    std::sort(returned_.begin(), returned_.end(),
              [](const auto& a, const auto& b) { return a->sequence_ < b->sequence_; });
    const bool conflict =
        std::any_of(returned_.begin(), returned_.end(), [](const command_ref& command) {
            return command->append_error_->code == errc::version_conflict;
        });
    if (conflict)
        count(core_->admission->count.conflicts);
    std::vector<command_ref> again;
    command_ref lost; // the first in the line that fails
    for (auto& command : std::exchange(returned_, {})) {
        if (lost && command->rests_on(lost->sequence_)) {
            command->fail_with(*lost);
        } else if (may_be_decided_again(*command, conflict)) {
            ++command->attempts_;
            wait_again(*command);
            again.push_back(std::move(command));
        } else {
            command->fail(*command->append_error_);
            if (!lost && !command->is_barrier_)
                lost = std::move(command);
        }
    }
    stash_.insert(stash_.begin(), std::make_move_iterator(again.begin()),
                  std::make_move_iterator(again.end()));
    if (lost)
        fail_what_rested_on(*lost);
    std::erase_if(stash_, [](const command_ref& command) { return !command; });
}

/// What a barrier rests on is decided again no more often than allowed, so it needs no limit itself.
bool aggregate_actor::may_be_decided_again(const command_request& command, bool conflict) const {
    const errc code = command.append_error_->code;
    return conflict && (code == errc::version_conflict || code == errc::predecessor_failed) &&
           (command.is_barrier_ || command.attempts_ < core_->limits.conflict_retries);
}

// --- failing -------------------------------------------------------------------------------------

/// The command will not be decided again.
void aggregate_actor::give_up(const command_ref& command, error why) {
    command->fail(std::move(why));
    if (command->attempts_ > 0 && command->has_decided_events_)
        fail_what_rested_on(*command);
}

/// Among those that wait to be decided again. Their places in `stash_` become empty.
void aggregate_actor::fail_what_rested_on(const command_request& lost) {
    for (auto& waiting : stash_)
        if (waiting && waiting->attempts_ > 0 && waiting->rests_on(lost.sequence_)) {
            stop_waiting(*waiting);
            std::exchange(waiting, {})->fail_with(lost);
        }
}

} // namespace annals
