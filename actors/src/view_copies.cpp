#include "view_copies.hpp"

#include "hosted_projection.hpp"

#include <algorithm>
#include <utility>

namespace annals {

namespace {
/// Rows changed in one transaction: no store refuses so few.
constexpr std::size_t bytes_in_one_change = std::size_t{4} << 20;
} // namespace

view_copies::view_copies(const hosted_projection& of)
    : book_(of.book),
      every_(of.what.options.save_every),
      version_(of.what.projection->version()) {}

void view_copies::folded(const view_instance& view, log_position position, std::uint64_t events,
                         const std::shared_ptr<const slice_marks>& marks) {
    events_ += events;
    events_since_copy_ += events;
    if (every_ == 0 || era_ == projection_book::no_era || events_since_copy_ < every_ ||
        writing_->load())
        return;
    save(view, position, marks);
}

void view_copies::closing(const view_instance& view, log_position position,
                          const std::shared_ptr<const slice_marks>& marks) {
    if (every_ != 0 && era_ != projection_book::no_era && position > saved_)
        save(view, position, marks);
}

void view_copies::save(const view_instance& view, log_position position,
                       const std::shared_ptr<const slice_marks>& marks) {
    bytes encoded;
    view.save(encoded);
    events_since_copy_ = 0;
    saved_ = position;

    generation_record copy;
    copy.space = book_->store().new_space();
    copy.version = version_;
    copy.meaning = book_->present().meaning;
    copy.since = since_;
    row_changes changes;
    std::uint32_t part = 0;
    const auto ignore = [](const result<void>&) {}; // the last change depends on all before it
    for (std::size_t at = 0; at < encoded.size(); at += catalog::copy_part_bytes) {
        const auto rest = bytes_view(encoded).subspan(at);
        catalog::put_copy_part(changes, copy.space, part++,
                               rest.first(std::min(rest.size(), catalog::copy_part_bytes)));
        if (changes.size_bytes() >= bytes_in_one_change)
            book_->store().apply(std::exchange(changes, {}), ignore);
    }
    checkpoint_record checkpoint;
    checkpoint.done = position;
    checkpoint.events = events_;
    checkpoint.bytes = encoded.size();
    catalog::put_checkpoint(changes, copy.space, marked_by(marks, checkpoint));
    writing_->store(true);
    book_->change_in(
        era_,
        [copy](projection_record& record, row_changes& also) {
            if (record.serving.space != 0)
                catalog::drop(also, record.serving);
            record.serving = copy;
        },
        std::move(changes),
        [writing = writing_](const result<void>&) {
            writing->store(false); // not stored: the next opening sweeps what was written
        });
}

restored_view restore_view(const view_type& type, const projection_book& book) {
    const generation_record copy = book.record().serving;
    if (copy.space == 0)
        return {};
    const auto none = [](error why) { return restored_view{nullptr, {}, std::move(why)}; };
    if (!type.can_save())
        return none({errc::undecodable, "the view names no fields any more"});
    auto snapshot = book.store().snapshot();
    if (!snapshot)
        return none(snapshot.error());
    auto checkpoint = catalog::find_checkpoint(**snapshot, copy.space);
    if (!checkpoint)
        return none(checkpoint.error());
    if (!*checkpoint)
        return none({errc::corrupt, "it has no checkpoint"});
    auto encoded = catalog::read_copy(**snapshot, copy.space, **checkpoint);
    if (!encoded)
        return none(encoded.error());
    auto view = type.make();
    if (auto loaded = view->load(*encoded); !loaded)
        return none(loaded.error());
    return {std::move(view), **checkpoint, {}};
}

} // namespace annals
