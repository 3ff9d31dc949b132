#include "log_check.hpp"

#include "projection_book.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace annals {

result<log_mark> read_mark(const journal& log, log_position position) {
    if (position == 0 || position > log.head())
        return log_mark{position, 0};
    const auto page = log.read_all(position - 1, 1, {});
    if (!page)
        return page.error();
    if (page->events.empty() || page->events.front().position != position)
        return log_mark{position, 0};
    return mark_of(page->events.front());
}

namespace {

/// One projection's record and the log.
class checked_record {
public:
    checked_record(row_snapshot& in, const journal& log, std::string name, projection_record record)
        : in_(in),
          log_(log),
          name_(std::move(name)),
          record_(std::move(record)) {}

    /// What is to be changed; nothing if all fits.
    [[nodiscard]] result<row_changes> look() {
        if (record_.put_back)
            return std::move(changes_); // known
        bool fits = true;
        for (const auto* each : {&record_.serving, &record_.building}) {
            const auto one = generation_fits(*each);
            if (!one)
                return one.error();
            fits = fits && *one;
        }
        result<void> done;
        if (!fits || record_.serving.since > log_.head())
            done = put_back();
        else if (is(projection_kind::view) && record_.serving.space == 0)
            done = look_at_list();
        if (!done)
            return done.error();
        return std::move(changes_);
    }

private:
    [[nodiscard]] bool is(projection_kind kind) const {
        return record_.kind == static_cast<std::uint8_t>(kind);
    }

    [[nodiscard]] result<bool> generation_fits(const generation_record& generation) {
        if (generation.space == catalog_space)
            return true;
        auto checkpoint = catalog::find_checkpoint(in_, generation.space);
        if (!checkpoint)
            return checkpoint.error();
        if (!*checkpoint)
            return true; // whoever hosts it says so
        checkpoint_record at = **checkpoint;
        if (at.done > log_.head() || at.begun > log_.head())
            return false;
        const auto there = read_mark(log_, at.done);
        if (!there)
            return there.error();
        if (at.mark == 0 && there->id != 0) { // of an earlier format, or not known then
            at.mark = there->id;
            catalog::put_checkpoint(changes_, generation.space, at);
        }
        return at.mark == there->id;
    }

    /// What was made of the other log goes. A reaction's checkpoint stays: it says what may have been
    /// delivered.
    [[nodiscard]] result<void> put_back() {
        changes_.clear();
        record_.put_back = true;
        if (!is(projection_kind::reaction)) {
            for (auto* each : {&record_.serving, &record_.building}) {
                catalog::drop(changes_, *each);
                *each = {};
            }
            for (const auto& list : {name_, projection_book::building_name(name_)}) {
                const auto positions = catalog::set_aside_positions(in_, list);
                if (!positions)
                    return positions.error();
                for (const log_position each : *positions)
                    catalog::erase_set_aside(changes_, list, each);
            }
        }
        catalog::put(changes_, name_, record_);
        return {};
    }

    /// A view without a copy has only its list: events that are others now are not in it.
    [[nodiscard]] result<void> look_at_list() {
        constexpr auto all = std::numeric_limits<std::size_t>::max();
        const auto list = catalog::list_set_aside(in_, name_, 0, all);
        if (!list)
            return list.error();
        for (const auto& each : *list) {
            const auto page = log_.read_all(each.position - 1, 1, {});
            if (!page)
                return page.error();
            if (page->events.empty() || page->events.front().position != each.position ||
                page->events.front().stream != each.stream ||
                page->events.front().type != each.type)
                catalog::erase_set_aside(changes_, name_, each.position);
        }
        return {};
    }

    row_snapshot& in_;
    const journal& log_;
    const std::string name_;
    projection_record record_;
    row_changes changes_;
};

} // namespace

result<void> check_against_log(projection_store& store, const journal& log) {
    std::vector<row_changes> all;
    {
        auto now = store.snapshot();
        if (!now)
            return now.error();
        auto records = catalog::list(**now);
        if (!records)
            return records.error();
        for (auto& [name, record] : *records) {
            auto changes = checked_record(**now, log, name, record).look();
            if (!changes)
                return changes.error();
            if (!changes->empty())
                all.push_back(*std::move(changes));
        }
    }
    for (auto& each : all)
        if (auto stored = apply_and_wait(store, std::move(each)); !stored)
            return stored;
    return {};
}

} // namespace annals
