#include "stored_queries.hpp"

#include "row_session.hpp"

#include "annals/hosting.hpp"

#include <algorithm>

namespace annals {

result<void> stored_answers::answer(const reached& known, const use& with) const {
    const row_space serving = serving_.load(); // before the snapshot, so that it is not newer
    const auto snapshot = store_->snapshot();
    if (!snapshot)
        return snapshot.error();
    const auto at = find_place(**snapshot, serving, known);
    if (!at)
        return at.error();
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

/// Generations change places in one transaction, of which `serving_` hears later: where it has no
/// checkpoint, the catalog in the snapshot says who serves.
result<stored_answers::place> stored_answers::find_place(row_snapshot& in, row_space space,
                                                         const reached& known) const {
    const auto checkpoint = catalog::find_checkpoint(in, space);
    if (!checkpoint)
        return checkpoint.error();
    const auto known_in = [&](row_space which, log_position done) {
        return which == known.space ? std::max(known.position, done) : done;
    };
    if (*checkpoint)
        return place{space, known_in(space, (*checkpoint)->done), (*checkpoint)->changes};
    const auto record = catalog::find(in, type_.name());
    if (!record)
        return record.error();
    if (!*record || (*record)->serving.space == space)
        return place{space, known_in(space, 0), 0}; // nothing was stored yet
    const row_space successor = (*record)->serving.space;
    const auto later = catalog::find_checkpoint(in, successor);
    if (!later)
        return later.error();
    const checkpoint_record at = later->value_or(checkpoint_record{});
    return place{successor, known_in(successor, at.done), at.changes};
}

} // namespace annals
