#include "stored_queries.hpp"

#include "row_session.hpp"

#include "annals/hosting.hpp"

#include <algorithm>

namespace annals {

/// The position of an answer, and why it is right:
///
/// - **Not too much.** What is known of the rows is read before the snapshot is taken, and was stored
///   before it became known. So the snapshot has all of it. Events behind it that the view lists come
///   into the rows together with a checkpoint at or behind them. So the greater of the two is the place:
///   everything up to it is there, and nothing later.
/// - **Not too little.** Whoever tells a position of these rows notes it first (`row_progress`). So what
///   was told before the question is known here, if it was told of the same rows.
/// - **Generations change places** in one transaction, of which `serving` hears later. The next one is
///   known to be as far as all that was told of the one before, and that is noted before the transaction
///   begins (`projection_actor::try_swap`, `store_swap`). So a snapshot in which it serves was taken after
///   that. But what is known was read earlier, and of other rows: it is read again, and then a snapshot
///   is taken again.
result<void> stored_answers::answer(const use& with) const {
    row_space serving = serving_.load();
    for (;;) {
        const log_position known = known_.of(serving);
        const auto snapshot = store_->snapshot();
        if (!snapshot)
            return snapshot.error();
        auto at = find_place(**snapshot, serving);
        if (!at)
            return at.error();
        if (at->space != serving) {
            serving = at->space;
            continue;
        }
        at->position = std::max(at->position, known);
        known_.tells(at->space, at->position);
        try {
            reading_rows rows(**snapshot, at->space);
            const auto view = type_.bind(rows);
            with(view->state(), *at);
            return {};
        } catch (const bad_result& e) {
            return e.error();
        } catch (...) {
            return error{errc::handler_failed, "view \"" + std::string(type_.name()) +
                                                   "\" threw: " + describe_current_exception() +
                                                   "; correct it, then ask again"};
        }
    }
}

/// By what is stored. Where `space` has no checkpoint, the catalog in the snapshot says who serves.
result<stored_answers::place> stored_answers::find_place(row_snapshot& in, row_space space) const {
    const auto checkpoint = catalog::find_checkpoint(in, space);
    if (!checkpoint)
        return checkpoint.error();
    if (*checkpoint)
        return place{space, (*checkpoint)->done, (*checkpoint)->changes};
    const auto record = catalog::find(in, type_.name());
    if (!record)
        return record.error();
    if (!*record || (*record)->serving.space == space)
        return place{space, 0, 0}; // nothing was stored yet
    const row_space successor = (*record)->serving.space;
    const auto later = catalog::find_checkpoint(in, successor);
    if (!later)
        return later.error();
    const checkpoint_record at = later->value_or(checkpoint_record{});
    return place{successor, at.done, at.changes};
}

} // namespace annals
