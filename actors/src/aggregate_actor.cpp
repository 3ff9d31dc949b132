#include "aggregate_actor.hpp"

#include "annals/host.hpp"
#include "stream_reading.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace annals {

namespace {

/// Appended when a recovery begins. It completes after everything appended before it, and by then
/// whatever was not stored is in the actor's mailbox, because both come from the same thread.
class recovery_barrier final : public append_operation {
public:
    explicit recovery_barrier(caf::weak_actor_ptr to) : to_(std::move(to)) {}
    std::span<const commit> commits() const noexcept override { return {}; }
    void completed(std::span<const append_result>) noexcept override {
        if (auto actor = caf::actor_cast<caf::actor>(to_))
            caf::anon_send(actor, settled_message{});
    }

private:
    caf::weak_actor_ptr to_;
};

} // namespace

aggregate_actor::aggregate_actor(caf::actor_config& cfg, std::shared_ptr<engine_core> core,
                                 std::shared_ptr<resident> self)
    : caf::event_based_actor(cfg),
      core_(std::move(core)),
      self_(std::move(self)),
      remembered_(core_->limits.remembered_commands) {
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
            self_->waiting.fetch_sub(1);
            on_command(m.command);
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
        [this](const settled_message&) {
            const no_blocking_scope scope;
            on_settled();
        },
        [this](const passivate_message&) { on_passivate(); },
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
    if (phase_ == phase::ready) {
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
    if (phase_ == phase::ready || phase_ == phase::empty)
        start_recovery();
}

void aggregate_actor::on_settled() {
    if (phase_ != phase::recovering)
        return;
    sort_out_returned();
    if (stash_.empty())
        phase_ = phase::empty;
    else
        start_loading();
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

void aggregate_actor::decide(command_ref command) {
    if (!command->begin())
        return;
    if (command->chain && command->chain->broken()) {
        fail(command,
             {errc::predecessor_failed, "an earlier command of its chain failed; repeat the "
                                        "chain from there"});
        return;
    }
    command->repeats_ = 0; // it may be decided again, after what it repeated was not stored
    if (command->named_ && answer_repeated(command))
        return;
    metadata& about = command->about;
    if (about.time == timestamp{})
        about.time = core_->parts.clock->wall_time();
    if (about.command_id.is_nil())
        about.command_id = core_->parts.ids->next();
    const command_context context{self_->id(), version_, about};
    command->encoded_.clear();
    const verdict made = state_->decide(command->command_index_, command->command(), context,
                                        self_->stream, command->encoded_);
    conclude(command, made);
}

void aggregate_actor::conclude(const command_ref& command, const verdict& made) {
    command->pipeline_ = pipeline_;
    switch (made.what) {
    case verdict::kind::events:
        append_events(command);
        return;
    case verdict::kind::failed:
        fail(command, made.failure);
        start_recovery();
        return;
    case verdict::kind::no_events:
    case verdict::kind::rejected:
        command->refused_ = made.what == verdict::kind::rejected
                                ? std::make_unique<rejection>(made.refused)
                                : nullptr;
        command->decided_version_ = version_;
        // An answer that rests on events not yet durable waits for them.
        if (all_settled())
            command->answer_without_events();
        else
            append_barrier(command);
        return;
    }
}

/// A repeated command gets the receipt of the first one, when that one is durable.
bool aggregate_actor::answer_repeated(const command_ref& command) {
    const auto version = remembered_.find(command->about.command_id);
    if (!version)
        return false;
    command->pipeline_ = pipeline_;
    command->repeats_ = *version;
    if (all_settled())
        answer_from_journal(command);
    else
        append_barrier(command);
    return true;
}

/// The position of a stored version is not kept in memory; repeating is rare enough to look it up.
void aggregate_actor::answer_from_journal(const command_ref& command) {
    core_->parts.readers->post([command, journal = core_->parts.journal] {
        command->answer_repeated(*journal, command->repeats_);
    });
}

void aggregate_actor::append_events(const command_ref& command) {
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
    r.commit_.pipeline = pipeline_.get();
    r.is_barrier_ = false;
    version_ += entries.size();
    if (r.named_)
        remembered_.add(r.about.command_id, version_);
    append(command);
}

void aggregate_actor::append_barrier(const command_ref& command) {
    command->is_barrier_ = true;
    command->rests_on_ = appended_ - returned_count_;
    append(command);
}

void aggregate_actor::append(const command_ref& command) {
    ++appended_;
    command->holders_.fetch_add(1); // the journal's share in answering
    core_->parts.journal->append(command.shared());
}

void aggregate_actor::fail(const command_ref& command, error why) {
    command->fail(std::move(why));
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
    pipeline_ = std::make_shared<pipeline>();
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
        if (happened.command_named && happened.ends_commit)
            remembered_.add(happened.command_id, happened.version);
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
    auto waiting = std::exchange(stash_, {});
    for (auto& command : waiting) {
        // Deciding may begin a recovery; what is left then waits for its end.
        if (phase_ == phase::ready)
            decide(std::move(command));
        else
            stash_.push_back(std::move(command));
    }
}

void aggregate_actor::fail_waiting(const error& why) {
    phase_ = phase::empty;
    state_.reset();
    for (auto& command : std::exchange(stash_, {}))
        fail(command, why);
    if (!returned_.empty())
        start_recovery();
}

// --- recovering ----------------------------------------------------------------------------------

void aggregate_actor::start_recovery() {
    phase_ = phase::recovering;
    state_.reset();
    core_->parts.journal->append(std::make_shared<recovery_barrier>(self_->address));
}

/// After a conflict the stream holds events this aggregate has not seen: what was decided without
/// them is decided again, in the same order. After any other failure the commands fail.
void aggregate_actor::sort_out_returned() {
    std::sort(returned_.begin(), returned_.end(),
              [](const auto& a, const auto& b) { return a->sequence_ < b->sequence_; });
    std::vector<command_ref> again;
    const bool conflict =
        std::any_of(returned_.begin(), returned_.end(), [](const command_ref& command) {
            return command->append_error_->code == errc::version_conflict;
        });
    if (conflict)
        count(core_->admission->count.conflicts);
    for (auto& command : std::exchange(returned_, {})) {
        const errc code = command->append_error_->code;
        const bool may_repeat =
            conflict && command->attempts_++ < core_->limits.conflict_retries &&
            (code == errc::version_conflict || code == errc::predecessor_failed);
        if (may_repeat)
            again.push_back(std::move(command));
        else
            fail(command, *command->append_error_);
    }
    stash_.insert(stash_.begin(), std::make_move_iterator(again.begin()),
                  std::make_move_iterator(again.end()));
}

} // namespace annals
