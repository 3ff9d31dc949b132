#include "annals/projection_catalog.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_set>

namespace annals {
namespace {

// --- keys ------------------------------------------------------------------------------------------

constexpr auto projection_mark = std::byte{'p'};
constexpr auto checkpoint_mark = std::byte{'c'};
constexpr auto set_aside_mark = std::byte{'a'};
constexpr std::size_t position_bytes = sizeof(log_position);

/// Numbers in keys are big-endian, so that keys are in the order of the numbers.
template <class T>
void add_number(bytes& key, T number) {
    for (std::size_t i = sizeof(T); i-- != 0;)
        key.push_back(static_cast<std::byte>((number >> (8 * i)) & 0xff));
}

template <class T>
T number_at(bytes_view from) {
    T number = 0;
    for (std::size_t i = 0; i != sizeof(T); ++i)
        number = static_cast<T>((number << 8) | static_cast<T>(from[i]));
    return number;
}

void add_text(bytes& key, std::string_view text) {
    const auto* from = reinterpret_cast<const std::byte*>(text.data());
    key.insert(key.end(), from, from + text.size());
}

bytes projection_key(std::string_view name) {
    bytes key{projection_mark};
    add_text(key, name);
    return key;
}

bytes checkpoint_key(row_space space) {
    bytes key{checkpoint_mark};
    add_number(key, space);
    return key;
}

/// What the keys of all that this projection set aside begin with.
bytes set_aside_prefix(std::string_view name) {
    bytes key{set_aside_mark};
    add_text(key, name);
    key.push_back(std::byte{0});
    return key;
}

bytes set_aside_key(std::string_view name, log_position position) {
    auto key = set_aside_prefix(name);
    add_number(key, position);
    return key;
}

bytes part_key(std::uint32_t part) {
    bytes key;
    add_number(key, part);
    return key;
}

bool begins_with(bytes_view key, bytes_view prefix) {
    return key.size() >= prefix.size() && std::ranges::equal(key.first(prefix.size()), prefix);
}

// --- records ---------------------------------------------------------------------------------------

error corrupt(std::string_view what, std::string_view why) {
    return {errc::corrupt, "the catalog of projections holds " + std::string(what) +
                               " that cannot be read (" + std::string(why) +
                               "); close the store and delete views.mdb: views are built again "
                               "from the log, reactions lose their checkpoints"};
}

template <class Record>
result<Record> read_record(bytes_view stored, std::string_view what) {
    auto record = from_bytes<Record>(stored);
    if (!record)
        return corrupt(what, record.error().message);
    return record;
}

template <class Record>
result<std::optional<Record>> find_record(row_snapshot& in, bytes_view key, std::string_view what) {
    const auto stored = in.get(catalog_space, key);
    if (!stored)
        return stored.error();
    if (!*stored)
        return std::optional<Record>();
    auto record = read_record<Record>(**stored, what);
    if (!record)
        return record.error();
    return std::optional<Record>(*std::move(record));
}

/// Calls `visit(key after the prefix, value)` for each row of the catalog that begins with `prefix`,
/// from `from` on, until it returns false or an error.
template <class Visit>
result<void> visit_rows(row_snapshot& in, bytes_view prefix, bytes_view from, Visit visit) {
    auto found = in.at_or_after(catalog_space, from);
    for (; found && *found && begins_with((*found)->key, prefix); found = in.next()) {
        const result<bool> more = visit((*found)->key.subspan(prefix.size()), (*found)->value);
        if (!more)
            return more.error();
        if (!*more)
            return {};
    }
    return found ? result<void>() : found.error();
}

constexpr std::string_view a_projection = "a projection";
constexpr std::string_view a_checkpoint = "a checkpoint";
constexpr std::string_view a_set_aside = "an event set aside";

} // namespace

std::string_view to_string(projection_kind kind) noexcept {
    switch (kind) {
    case projection_kind::view:
        return "view";
    case projection_kind::stored_view:
        return "stored_view";
    case projection_kind::reaction:
        return "reaction";
    }
    return "unknown";
}

namespace catalog {

// --- reading ---------------------------------------------------------------------------------------

result<std::optional<projection_record>> find(row_snapshot& in, std::string_view name) {
    return find_record<projection_record>(in, projection_key(name), a_projection);
}

result<std::optional<checkpoint_record>> find_checkpoint(row_snapshot& in, row_space space) {
    return find_record<checkpoint_record>(in, checkpoint_key(space), a_checkpoint);
}

result<std::optional<set_aside_event>> find_set_aside(row_snapshot& in, std::string_view name,
                                                      log_position position) {
    return find_record<set_aside_event>(in, set_aside_key(name, position), a_set_aside);
}

result<std::vector<set_aside_event>> list_set_aside(row_snapshot& in, std::string_view name,
                                                    log_position after, std::size_t max) {
    std::vector<set_aside_event> all;
    if (max == 0 || after == ~log_position{0})
        return all;
    const auto read = visit_rows(in, set_aside_prefix(name), set_aside_key(name, after + 1),
                                 [&](bytes_view, bytes_view stored) -> result<bool> {
                                     auto one = read_record<set_aside_event>(stored, a_set_aside);
                                     if (!one)
                                         return one.error();
                                     all.push_back(*std::move(one));
                                     return all.size() != max;
                                 });
    if (!read)
        return read.error();
    return all;
}

result<std::vector<log_position>> set_aside_positions(row_snapshot& in, std::string_view name) {
    std::vector<log_position> all;
    const auto prefix = set_aside_prefix(name);
    const auto read =
        visit_rows(in, prefix, prefix, [&](bytes_view position, bytes_view) -> result<bool> {
            if (position.size() != position_bytes)
                return corrupt(a_set_aside, "its key has the wrong length");
            all.push_back(number_at<log_position>(position));
            return true;
        });
    if (!read)
        return read.error();
    return all;
}

result<std::vector<std::pair<std::string, projection_record>>> list(row_snapshot& in) {
    std::vector<std::pair<std::string, projection_record>> all;
    const auto prefix = projection_key({});
    const auto read =
        visit_rows(in, prefix, prefix, [&](bytes_view name, bytes_view stored) -> result<bool> {
            auto record = read_record<projection_record>(stored, a_projection);
            if (!record)
                return record.error();
            all.emplace_back(std::string(reinterpret_cast<const char*>(name.data()), name.size()),
                             *std::move(record));
            return true;
        });
    if (!read)
        return read.error();
    return all;
}

result<bytes> read_copy(row_snapshot& in, row_space space, const checkpoint_record& checkpoint) {
    bytes whole; // grows with what is there, whatever the checkpoint claims
    for (std::uint32_t part = 0; whole.size() != checkpoint.bytes; ++part) {
        const auto stored = in.get(space, part_key(part));
        if (!stored)
            return stored.error();
        if (!*stored || (*stored)->empty() || (*stored)->size() > checkpoint.bytes - whole.size())
            return corrupt("a saved copy", "it has " + std::to_string(whole.size()) + " of " +
                                               std::to_string(checkpoint.bytes) +
                                               " bytes before part " + std::to_string(part));
        whole.insert(whole.end(), (*stored)->begin(), (*stored)->end());
    }
    return whole;
}

// --- writing ---------------------------------------------------------------------------------------

void put(row_changes& into, std::string_view name, const projection_record& record) {
    into.put(catalog_space, projection_key(name), to_bytes(record));
}

void put_checkpoint(row_changes& into, row_space space, const checkpoint_record& record) {
    into.put(catalog_space, checkpoint_key(space), to_bytes(record));
}

void put_set_aside(row_changes& into, std::string_view name, const set_aside_event& record) {
    into.put(catalog_space, set_aside_key(name, record.position), to_bytes(record));
}

void erase_set_aside(row_changes& into, std::string_view name, log_position position) {
    into.erase(catalog_space, set_aside_key(name, position));
}

void drop(row_changes& into, const generation_record& generation) {
    if (generation.space == catalog_space)
        return; // there is no such generation
    into.drop(generation.space);
    into.erase(catalog_space, checkpoint_key(generation.space));
}

void put_copy_part(row_changes& into, row_space space, std::uint32_t part, bytes_view bytes) {
    into.put(space, part_key(part), bytes);
}

namespace {

/// Checkpoints of generations that are not among `named`.
result<row_changes> orphaned_checkpoints(row_snapshot& in, const std::vector<row_space>& named) {
    row_changes orphans;
    const bytes prefix{checkpoint_mark};
    const auto read =
        visit_rows(in, prefix, prefix, [&](bytes_view key, bytes_view) -> result<bool> {
            if (key.size() != sizeof(row_space))
                return corrupt(a_checkpoint, "its key has the wrong length");
            const auto space = number_at<row_space>(key);
            if (std::ranges::find(named, space) == named.end())
                orphans.erase(catalog_space, checkpoint_key(space));
            return true;
        });
    if (!read)
        return read.error();
    return orphans;
}

} // namespace

result<void> sweep(projection_store& in) {
    std::vector<row_space> named;
    row_changes orphans;
    {
        auto now = in.snapshot();
        if (!now)
            return now.error();
        const auto projections = list(**now);
        if (!projections)
            return projections.error();
        for (const auto& [name, record] : *projections)
            for (const auto& generation : {record.serving, record.building})
                if (generation.space != catalog_space)
                    named.push_back(generation.space);
        auto found = orphaned_checkpoints(**now, named);
        if (!found)
            return found.error();
        orphans = *std::move(found);
    }
    if (auto kept = in.keep_only(named); !kept)
        return kept;
    return orphans.empty() ? result<void>() : apply_and_wait(in, std::move(orphans));
}

} // namespace catalog

} // namespace annals
