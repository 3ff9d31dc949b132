#pragma once

// What a projection store holds, read without the code that reads it in a runtime.

#include "crash/read_side_log.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>

namespace annals::test {

/// The rows of one space, as a stored view's maps see them.
class stored_rows final : public table_rows {
public:
    stored_rows(row_snapshot& in, row_space space) : in_(in), space_(space) {}
    std::optional<bytes_view> get(bytes_view key) override { return in_.get(space_, key).value(); }
    std::optional<row> at_or_after(bytes_view from) override {
        return in_.at_or_after(space_, from).value();
    }
    std::optional<row> after(bytes_view key) override {
        auto found = in_.at_or_after(space_, key).value();
        if (found && std::ranges::equal(found->key, key))
            found = in_.next().value();
        return found;
    }
    std::optional<row> before(bytes_view end) override {
        return in_.last_before(space_, end).value();
    }
    void put(bytes_view, bytes_view) override { throw std::logic_error("only read here"); }
    bool erase(bytes_view) override { throw std::logic_error("only read here"); }

private:
    row_snapshot& in_;
    row_space space_;
};

template <class View, class Query>
auto rows_of(row_snapshot& in, row_space space) {
    stored_rows rows(in, space);
    View view;
    bind_tables(view, rows);
    return answer(std::as_const(view), Query{});
}

/// The catalog's records, and the checkpoints of the generations that they name.
struct store_content {
    std::map<std::string, projection_record> projections;
    std::map<row_space, checkpoint_record> checkpoints;

    static store_content read(row_snapshot& in) {
        store_content made;
        for (auto& [name, record] : catalog::list(in).value()) {
            for (const auto* each : {&record.serving, &record.building})
                if (each->space != 0)
                    if (auto found = catalog::find_checkpoint(in, each->space).value())
                        made.checkpoints.emplace(each->space, *found);
            made.projections.emplace(name, record);
        }
        return made;
    }
    [[nodiscard]] projection_record of(const std::string& name) const {
        const auto found = projections.find(name);
        return found == projections.end() ? projection_record{} : found->second;
    }
    [[nodiscard]] checkpoint_record checkpoint(const generation_record& of) const {
        const auto found = checkpoints.find(of.space);
        return found == checkpoints.end() ? checkpoint_record{} : found->second;
    }
};

/// Compares one generation of a view with the fold of the log up to its checkpoint.
inline std::string find_fault(row_snapshot& in, const std::string& name,
                              const generation_record& generation,
                              const checkpoint_record& checkpoint, const moved_log& log) {
    const auto since = generation.since;
    const auto done = checkpoint.done;
    const std::string which = name + " version " + std::to_string(generation.version) + " after " +
                              std::to_string(since) + " at " + std::to_string(done) + " of " +
                              std::to_string(log.head());
    if (done > log.head() || done < since)
        return which + ": a checkpoint where the log is not";
    if (name != "arrivals" && checkpoint.events != done - since)
        return which + ": " + std::to_string(checkpoint.events) + " events were counted";
    if (name == "shelves") {
        const auto rows =
            rows_of<read_side::shelves<1>, read_side::all_shelves<1>>(in, generation.space);
        std::map<std::pair<std::uint32_t, std::string>, std::uint64_t> by_shelf;
        for (const auto& [id, where] : rows.parcels)
            by_shelf[{where.shelf, id}] = where.moves;
        if (by_shelf != rows.by_shelf)
            return which + ": its tables do not agree";
        if (rows != log.shelves(since, done, generation.version))
            return which + ": it is not the fold of the log";
    } else if (name == "routes") {
        if (rows_of<read_side::routes, read_side::all_routes>(in, generation.space) !=
            log.routes(since, done))
            return which + ": it is not the fold of the log";
    } else {
        const auto copy = catalog::read_copy(in, generation.space, checkpoint).value();
        if (from_bytes<read_side::arrivals>(copy).value() != log.arrivals(since, done))
            return which + ": the saved copy is not the fold of the log";
    }
    return "";
}

/// Everything that is stored of the views, whatever they were in the middle of.
inline std::string find_fault(row_snapshot& in, const store_content& content,
                              const moved_log& log) {
    for (const auto& [name, record] : content.projections) {
        const bool stored = name == "shelves" || name == "routes";
        if (stored && (record.serving.space == 0 || record.serving.space == record.building.space))
            return name + ": not exactly one generation serves";
        for (const auto* each : {&record.serving, &record.building})
            if (each->space != 0 && !content.checkpoints.contains(each->space))
                return name + ": a generation without a checkpoint";
        if (name == "notes")
            continue;
        for (const auto* each : {&record.serving, &record.building})
            if (each->space != 0)
                if (auto fault = find_fault(in, name, *each, content.checkpoint(*each), log);
                    !fault.empty())
                    return fault;
    }
    return "";
}

/// After opening and closing in good order there is nothing but what serves.
inline std::string find_leftovers(projection_store& store, row_snapshot& in,
                                  const store_content& content) {
    std::set<row_space> serving{catalog_space};
    std::set<row_space> with_rows;
    for (const auto& [name, record] : content.projections) {
        if (record.building.space != 0)
            return name + " is still half built";
        if (name != "notes" && record.serving.space != 0)
            serving.insert(record.serving.space);
    }
    const row_space end = store.new_space();
    for (row_space space = 0; space != end; ++space)
        if (in.last(space).value())
            with_rows.insert(space);
    for (const row_space each : with_rows)
        if (!serving.contains(each))
            return "space " + std::to_string(each) + " has rows and nobody names it";
    std::size_t checkpoints = 0;
    const bytes mark{static_cast<std::byte>('c')};
    for (auto found = in.at_or_after(catalog_space, mark).value();
         found && found->key.front() == mark.front(); found = in.next().value())
        ++checkpoints;
    return checkpoints == content.checkpoints.size() ? "" : "a checkpoint is of nothing";
}

} // namespace annals::test
