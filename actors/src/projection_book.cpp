#include "projection_book.hpp"

#include <algorithm>
#include <limits>

namespace annals {

namespace {

std::uint64_t hash_of(const std::string& text) {
    std::uint64_t hash = 0;
    const uuid id = uuid::of_name(text);
    for (std::size_t i = 0; i != 6; ++i)
        hash = hash << 8 | std::to_integer<std::uint64_t>(id.bytes[i]);
    return hash == 0 ? 1 : hash;
}

} // namespace

/// A type whose constructors throw keeps the meaning that is stored: it fails when it begins.
void projection_book::describe(const projection_type& type) {
    present_.version = type.version();
    present_.shape = record_.serving.shape;
    try {
        if (type.kind() == projection_kind::stored_view)
            present_.shape = static_cast<const stored_view_type&>(type).shape();
        present_.meaning = hash_of(type.meaning());
    } catch (...) {
        present_.meaning = 0;
    }
}

result<std::shared_ptr<projection_book>>
projection_book::open(const hosted& what, std::shared_ptr<projection_store> store,
                      const log_mark& head) {
    const projection_type& type = *what.projection;
    std::string name(type.name());
    std::shared_ptr<projection_book> made(new projection_book(std::move(name), std::move(store)));
    auto snapshot = made->store_->snapshot();
    if (!snapshot)
        return snapshot.error();
    auto found = catalog::find(**snapshot, made->name_);
    if (!found)
        return found.error();
    const auto kind = static_cast<std::uint8_t>(type.kind());
    if (*found && (*found)->kind != kind)
        return error{errc::invalid_argument,
                     "\"" + made->name_ + "\" has been a " +
                         std::string(to_string(static_cast<projection_kind>((*found)->kind))) +
                         " in this store and cannot become a " +
                         std::string(to_string(type.kind())) + "; give it another name"};
    const bool known = found->has_value();
    if (known)
        made->record_ = made->stored_ = **std::move(found);
    made->record_.kind = kind;
    if (auto read = made->read_set_aside(**snapshot); !read)
        return read.error();
    (*snapshot).reset();
    made->describe(type);
    made->take_note(type, known);
    if (auto entered = made->enter(what, head); !entered)
        return entered.error();
    return made;
}

void projection_book::take_note(const projection_type& type, bool known) {
    const bool reacts = type.kind() == projection_kind::reaction;
    if (record_.put_back && !reacts)
        note_ = "the log was put back from an older copy, so it is built again from the log's "
                "beginning";
    for (auto* each : {&record_.serving, &record_.building}) {
        const bool changed =
            each->meaning != 0 && present_.meaning != 0 && each->meaning != present_.meaning;
        if (changed && reacts)
            note_ =
                "the events that it lists have changed since it ran last: those that are new to it "
                "are delivered from where it is now, and earlier ones are not; reset it to have "
                "them delivered";
        else if (changed && each->version == present_.version && each == &record_.serving &&
                 each->space != 0)
            note_ =
                "the events that it lists, or what its rows are made of, have changed since it ran "
                "last, so it is built again, as for a new version";
        if ((changed && reacts) || (known && each->meaning == 0 && same_make(*each, present_) &&
                                    (each->space != 0 || each == &record_.serving)))
            each->meaning = present_.meaning;
    }
    if (!reacts)
        record_.put_back = false; // with what is entered now, it is known to begin anew
}

result<void> projection_book::enter(const hosted& what, const log_mark& head) {
    const projection_type& type = *what.projection;
    row_changes changes;
    if (type.kind() == projection_kind::stored_view) {
        generation_record wanted = present_;
        // A half-built generation of yet another version is of no use to anybody.
        if (record_.building.space != 0 && !same_make(record_.building, wanted)) {
            catalog::drop(changes, record_.building);
            record_.building = {};
        }
        if (record_.building.space == 0) {
            clear_set_aside(changes, list::building);
            set_aside_cleared(list::building);
        }
        if (record_.serving.space == 0) {
            wanted.space = store_->new_space();
            record_.serving = wanted;
            catalog::put_checkpoint(changes, wanted.space, {});
        } else if (!same_make(record_.serving, wanted) && record_.building.space == 0) {
            wanted.space = store_->new_space();
            record_.building = wanted;
            catalog::put_checkpoint(changes, wanted.space, {});
        }
    } else if (type.kind() == projection_kind::reaction && record_.serving.space == 0) {
        const auto start = static_cast<const reaction_type&>(type).start();
        record_.serving = present_;
        record_.serving.space = store_->new_space();
        checkpoint_record begin;
        if (start == reaction_start::now) {
            begin.done = begin.begun = head.position;
            begin.mark = head.id;
        }
        record_.serving.since = begin.done;
        catalog::put_checkpoint(changes, record_.serving.space, begin);
    } else if (type.kind() == projection_kind::view) {
        clear_set_aside(changes, list::building); // what was built in memory is gone
        set_aside_cleared(list::building);
        // The version that set the events aside stays in the record until they were tried again.
        if (record_.serving.space == 0 && !same_make(record_.serving, present_) &&
            set_aside_.empty())
            record_.serving = present_;
    }
    if (record_ == stored_ && changes.empty())
        return {};
    catalog::put(changes, name_, record_);
    return apply_and_wait(*store_, std::move(changes));
}

projection_record projection_book::record() const {
    const std::lock_guard lock(mutex_);
    return record_;
}

void projection_book::change(changing how, row_changes also, projection_store::applied done) {
    queue({{}, std::move(how), std::move(also), std::move(done)});
}

void projection_book::change_in(std::uint64_t era, changing how, row_changes also,
                                projection_store::applied done) {
    queue({era, std::move(how), std::move(also), std::move(done)});
}

void projection_book::queue(waiting_change next) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(next));
    if (!changing_)
        apply_next();
}

/// With the lock held, so that changes reach the store in their order.
void projection_book::apply_next() {
    while (!changing_ && !waiting_.empty()) {
        waiting_change next = std::move(waiting_.front());
        waiting_.pop_front();
        if (next.era && *next.era != era_) {
            next.done(error{errc::aborted, "the projection was reset or rebuilt meanwhile"});
            continue;
        }
        projection_record after = record_;
        next.how(after, next.also);
        catalog::put(next.also, name_, after);
        changing_ = true;
        store_->apply(std::move(next.also),
                      [me = shared_from_this(), after, done = std::move(next.done)](
                          const result<void>& how) { me->applied(after, done, how); });
    }
}

void projection_book::applied(const projection_record& after, const projection_store::applied& done,
                              const result<void>& how) {
    const std::lock_guard lock(mutex_);
    if (how)
        record_ = after;
    changing_ = false;
    done(how);
    apply_next();
}

// --- events that are set aside ---------------------------------------------------------------------

std::string projection_book::name_of(list which) const {
    return which == list::serving ? name_ : building_name(name_);
}

result<void> projection_book::read_set_aside(row_snapshot& in) {
    auto positions = catalog::set_aside_positions(in, name_);
    if (!positions)
        return positions.error();
    set_aside_ = *std::move(positions);
    constexpr auto all = std::numeric_limits<std::size_t>::max();
    auto built = catalog::list_set_aside(in, name_of(list::building), 0, all);
    if (!built)
        return built.error();
    for (auto& each : *built)
        set_aside_by_building_.emplace(each.position, std::move(each));
    return {};
}

std::vector<log_position> projection_book::set_aside() const {
    const std::lock_guard lock(mutex_);
    return set_aside_;
}

std::vector<log_position> projection_book::set_aside_by_building() const {
    const std::lock_guard lock(mutex_);
    std::vector<log_position> made;
    for (const auto& [position, what] : set_aside_by_building_)
        made.push_back(position);
    return made;
}

bool projection_book::has_set_aside(log_position position) const {
    const std::lock_guard lock(mutex_);
    return std::binary_search(set_aside_.begin(), set_aside_.end(), position);
}

std::size_t projection_book::set_aside_count(list of) const {
    const std::lock_guard lock(mutex_);
    return of == list::serving ? set_aside_.size() : set_aside_by_building_.size();
}

void projection_book::put_set_aside(row_changes& into, list of, const set_aside_event& what) const {
    catalog::put_set_aside(into, name_of(of), what);
}

void projection_book::erase_set_aside(row_changes& into, list of, log_position position) const {
    catalog::erase_set_aside(into, name_of(of), position);
}

void projection_book::now_set_aside(list in, const set_aside_event& what) {
    const std::lock_guard lock(mutex_);
    if (in == list::building) {
        set_aside_by_building_.insert_or_assign(what.position, what);
        return;
    }
    const auto at = std::lower_bound(set_aside_.begin(), set_aside_.end(), what.position);
    if (at == set_aside_.end() || *at != what.position)
        set_aside_.insert(at, what.position);
}

void projection_book::adopt_set_aside(row_changes& into) const {
    clear_set_aside(into, list::serving);
    clear_set_aside(into, list::building);
    const std::lock_guard lock(mutex_);
    for (const auto& [position, what] : set_aside_by_building_)
        put_set_aside(into, list::serving, what);
}

void projection_book::set_aside_adopted() {
    const std::lock_guard lock(mutex_);
    set_aside_ = set_aside_by_building();
    set_aside_by_building_.clear();
}

void projection_book::clear_set_aside(row_changes& into, list of) const {
    for (const log_position each : of == list::serving ? set_aside() : set_aside_by_building())
        erase_set_aside(into, of, each);
}

void projection_book::set_aside_cleared(list of) {
    const std::lock_guard lock(mutex_);
    if (of == list::serving)
        set_aside_.clear();
    else
        set_aside_by_building_.clear();
}

void projection_book::no_longer_set_aside(log_position position) {
    const std::lock_guard lock(mutex_);
    std::erase(set_aside_, position);
}

} // namespace annals
