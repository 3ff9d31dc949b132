#include "projection_sinks.hpp"

#include "engine_core.hpp"
#include "reaction_sender.hpp"
#include "reaction_sink.hpp"
#include "stored_sink.hpp"
#include "view_copies.hpp"

#include "annals/hosting.hpp"

#include <caf/send.hpp>

namespace annals {

void memory_sink::take(slice what) {
    caf::anon_send(queries_, slice_message{lane_, std::move(what)});
}

void memory_sink::stop() {
    caf::anon_send(queries_, drop_message{lane_});
}

std::unique_ptr<sink> make_stored_sink(sink_parts parts, const hosted_projection& of,
                                       row_space space, const checkpoint_record& start) {
    return std::make_unique<stored_sink>(
        std::move(parts), static_cast<const stored_view_type&>(*of.what.projection), space, start);
}

namespace {

/// Lets a sink use a handler that outlives it: the host's object is there once.
class lent_handler final : public reaction_type::handler {
public:
    lent_handler(std::shared_ptr<reaction_type::handler> of, std::shared_ptr<handler_thread> thread,
                 const std::weak_ptr<engine_core>& core)
        : of_(std::move(of)),
          thread_(std::move(thread)),
          sender_(std::make_shared<reaction_sender>(core, thread_)) {}
    handled react(const decoded_events& events, std::size_t index,
                  const delivery_terms& terms) override {
        const handling_scope scope(thread_->reaction());
        const reaction_thread_scope here(thread_);
        delivery_terms with_sender = terms;
        with_sender.sender = sender_;
        return of_->react(events, index, with_sender);
    }

private:
    const std::shared_ptr<reaction_type::handler> of_;
    const std::shared_ptr<handler_thread> thread_;
    const std::shared_ptr<reaction_sender> sender_;
};

} // namespace

std::unique_ptr<sink>
make_reaction_sink(sink_parts parts, const std::weak_ptr<engine_core>& core,
                   const std::vector<std::shared_ptr<reaction_type::handler>>& handlers,
                   const hosted_projection& of, row_space space, const checkpoint_record& start) {
    std::vector<std::unique_ptr<reaction_type::handler>> lent;
    for (std::size_t i = 0; i != handlers.size(); ++i) {
        auto thread = std::make_shared<handler_thread>(parts.threads[i], of.book->name());
        lent.push_back(std::make_unique<lent_handler>(handlers[i], std::move(thread), core));
    }
    parts.activity = of.activity;
    const bool later = static_cast<const reaction_type&>(*of.what.projection).ends_later();
    return std::make_unique<reaction_sink>(
        std::move(parts), std::move(lent), of.book->name(), space, start,
        later ? of.what.options.max_in_flight : reaction_queue::usual_part);
}

namespace {

/// What `make` returns, or the error for what the host's code threw in it.
template <class Make>
result<lane_start> made_by_host(const hosted_projection& of, Make make) {
    try {
        return make();
    } catch (...) {
        return error{errc::handler_failed,
                     "making view \"" + std::string(of.what.projection->name()) +
                         "\" threw: " + describe_current_exception() +
                         "; correct its constructor, then resume it or open the runtime again"};
    }
}

} // namespace

result<lane_start> fresh_start(const hosted_projection& of, log_position since) {
    return made_by_host(of, [&] {
        lane_start made;
        made.view = static_cast<const view_type&>(*of.what.projection).make();
        made.version = of.what.projection->version();
        made.since = since;
        made.checkpoint.done = since;
        return made;
    });
}

result<lane_start> restored_start(const hosted_projection& of) {
    const auto& type = static_cast<const view_type&>(*of.what.projection);
    const generation_record kept = of.book->record().serving;
    return made_by_host(of, [&]() -> result<lane_start> {
        restored_view restored = restore_view(type, *of.book);
        if (restored.unreadable)
            of.gauge->failed_with("its saved copy is of no use, so it is folded again: " +
                                  restored.unreadable->message);
        if (!restored.view)
            return fresh_start(of, projection_book::same_make(kept, of.book->present()) ? kept.since
                                                                                        : 0);
        lane_start made;
        made.view = std::move(restored.view);
        made.checkpoint = restored.checkpoint;
        made.since = kept.since;
        made.version = kept.version;
        made.of_this_version = projection_book::same_make(kept, of.book->present());
        return made;
    });
}

result<lane_start> put_back(const hosted_projection& of) {
    return error{
        errc::corrupt,
        "reaction \"" + of.book->name() +
            "\" has run over another log than this one: the log was put back from an older "
            "copy. It neither repeats nor skips anything on its own: reset it to the position "
            "after which events are to be delivered (projection_control::reset), or put back "
            "the log that it knows, with its views.mdb"};
}

result<lane_start> checkpoint_start(const hosted_projection& of, row_space space) {
    auto snapshot = of.book->store().snapshot();
    if (!snapshot)
        return snapshot.error();
    auto found = catalog::find_checkpoint(**snapshot, space);
    if (!found)
        return found.error();
    if (!*found)
        return error{errc::corrupt, "projection \"" + of.book->name() +
                                        "\" has no checkpoint; delete views.mdb (views are built "
                                        "again; reactions begin anew), or put back a backup"};
    lane_start made;
    made.checkpoint = **found;
    return made;
}

result<bool> is_set_aside(const hosted_projection& of, log_position position) {
    auto snapshot = of.book->store().snapshot();
    if (!snapshot)
        return snapshot.error();
    const auto found = catalog::find_set_aside(**snapshot, of.book->name(), position);
    if (!found)
        return found.error();
    return found->has_value();
}

result<fed_events> read_one(const hosted_projection& of, const journal& from,
                            log_position position) {
    auto page = from.read_all(position - 1, 1, of.what.projection->filter());
    if (!page)
        return page.error();
    if (page->events.empty() || page->events[0].position != position)
        return error{errc::invalid_argument,
                     "\"" + of.book->name() + "\" does not want event " + std::to_string(position) +
                         " any more; give it up",
                     position};
    try {
        decoding made = of.what.projection->decode(*page, 0, {});
        if (!made.status)
            return made.status.error();
        return fed_events{std::move(made.decoded), {}};
    } catch (...) {
        return error{errc::handler_failed,
                     "decoding event " + std::to_string(position) +
                         " threw: " + describe_current_exception(),
                     position};
    }
}

} // namespace annals
