#include "view_copies.hpp"

#include "hosted_projection.hpp"

#include "annals/hosting.hpp"
#include "annals/own_state.hpp"

#include <algorithm>
#include <utility>

namespace annals {

namespace {
constexpr std::size_t part_bytes = std::size_t{512} << 10;
static_assert(part_bytes <= catalog::copy_part_bytes);
constexpr unsigned most_doublings = 10;
} // namespace

/// One copy on its way to the store. Its parts go from the last to the first, so that none lies before
/// one that is being written: a store may write a row again whose neighbour comes.
class view_copies::writing : public std::enable_shared_from_this<writing> {
public:
    writing(std::shared_ptr<projection_book> book, std::shared_ptr<projection_gauge> gauge,
            std::shared_ptr<outcome_of_copies> so_far, bytes encoded, generation_record copy,
            log_position position, checkpoint_record checkpoint, std::uint64_t era)
        : book_(std::move(book)),
          gauge_(std::move(gauge)),
          so_far_(std::move(so_far)),
          encoded_(std::move(encoded)),
          copy_(std::move(copy)),
          position_(position),
          checkpoint_(checkpoint),
          era_(era),
          number_(++so_far_->begun),
          left_(static_cast<std::uint32_t>((encoded_.size() + part_bytes - 1) / part_bytes)) {}

    /// The next part once the one before is durable.
    void go_on() {
        if (so_far_->begun.load() != number_) {
            ended(error{errc::aborted, "a later copy takes its place"});
            return;
        }
        if (left_ == 0) {
            make_it_count();
            return;
        }
        book_->store().apply(next_part(), [me = shared_from_this()](const result<void>& how) {
            if (how)
                me->go_on();
            else
                me->ended(how);
        });
    }
    /// All of it without waiting, because the store is about to be closed. If one of the parts is
    /// refused and what makes the copy count is not, the next opening finds it incomplete.
    void finish_at_once() {
        while (left_ != 0)
            book_->store().apply(next_part(), [](const result<void>&) {});
        make_it_count();
    }

private:
    [[nodiscard]] row_changes next_part() {
        const std::uint32_t part = --left_;
        const auto rest = bytes_view(encoded_).subspan(part * part_bytes);
        row_changes changes;
        catalog::put_copy_part(changes, copy_.space, part,
                               rest.first(std::min(rest.size(), part_bytes)));
        return changes;
    }

    void make_it_count() {
        row_changes changes;
        catalog::put_checkpoint(changes, copy_.space, checkpoint_);
        book_->change_in(
            era_,
            [copy = copy_](projection_record& record, row_changes& also) {
                if (record.serving.space != 0)
                    catalog::drop(also, record.serving);
                record.serving = copy;
            },
            std::move(changes),
            [me = shared_from_this()](const result<void>& how) { me->ended(how); });
    }

    void ended(const result<void>& how) {
        if (how) {
            so_far_->failures.store(0);
            so_far_->stored.store(position_);
        } else {
            if (how.error().code != errc::aborted && how.error().code != errc::closed)
                failed(*so_far_, *gauge_, how.error().message);
            row_changes leftover;
            leftover.drop(copy_.space);
            book_->store().apply(std::move(leftover), [](const result<void>&) {
                // What is left even then goes with the next opening.
            });
        }
        so_far_->writing.store(false);
    }

    const std::shared_ptr<projection_book> book_;
    const std::shared_ptr<projection_gauge> gauge_;
    const std::shared_ptr<outcome_of_copies> so_far_;
    const bytes encoded_;
    const generation_record copy_;
    const log_position position_; ///< that the copy reflects; the checkpoint may name one before
    const checkpoint_record checkpoint_;
    const std::uint64_t era_;
    const std::uint64_t number_; ///< among all that were begun
    std::uint32_t left_;         ///< parts that are not on their way yet
};

view_copies::view_copies(const hosted_projection& of, std::shared_ptr<clock> time)
    : book_(of.book),
      gauge_(of.gauge),
      clock_(std::move(time)),
      every_(of.what.options.save_every),
      version_(of.what.projection->version()) {}

void view_copies::folded(const view_instance& view, log_position position, std::uint64_t events,
                         const std::shared_ptr<const slice_marks>& marks) {
    events_ += events;
    events_since_copy_ += events;
    if (due())
        save(view, position, marks, false);
}

bool view_copies::due() const {
    if (every_ == 0 || era_ == projection_book::no_era || events_since_copy_ < every_ ||
        so_far_->writing.load())
        return false;
    const unsigned doublings = std::min(so_far_->failures.load(), most_doublings);
    return events_since_copy_ >> doublings >= every_ && clock_->steady() >= not_before_;
}

void view_copies::closing(const view_instance& view, log_position position,
                          const std::shared_ptr<const slice_marks>& marks) {
    if (every_ != 0 && era_ != projection_book::no_era && position > so_far_->stored.load())
        save(view, position, marks, true);
}

void view_copies::failed(outcome_of_copies& what, projection_gauge& gauge, const std::string& why) {
    ++what.failures;
    gauge.failed_with("a copy of the view could not be saved: " + why +
                      "; the one before counts, and the next is tried later");
}

void view_copies::save(const view_instance& view, log_position position,
                       const std::shared_ptr<const slice_marks>& marks, bool at_once) {
    constexpr int share_of_time = 10;
    events_since_copy_ = 0;
    bytes encoded;
    const steady_time begin = clock_->steady();
    try {
        const own_state_scope any_size;
        view.save(encoded);
    } catch (...) {
        failed(*so_far_, *gauge_, describe_current_exception());
        return;
    }
    const steady_time end = clock_->steady();
    not_before_ = end + (share_of_time - 1) * (end - begin);

    generation_record copy;
    copy.space = book_->store().new_space();
    copy.version = version_;
    copy.meaning = book_->present().meaning;
    copy.since = since_;
    checkpoint_record checkpoint;
    checkpoint.done = position;
    checkpoint.events = events_;
    checkpoint.bytes = encoded.size();
    so_far_->writing.store(true);
    const auto one =
        std::make_shared<writing>(book_, gauge_, so_far_, std::move(encoded), std::move(copy),
                                  position, marked_by(marks, checkpoint), era_);
    if (at_once)
        one->finish_at_once();
    else
        one->go_on();
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
    const own_state_scope any_size;
    if (auto loaded = view->load(*encoded); !loaded)
        return none(loaded.error());
    return {std::move(view), **checkpoint, {}};
}

} // namespace annals
