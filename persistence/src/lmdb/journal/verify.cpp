#include "annals/lmdb_journal.hpp"

#include "lmdb/file/separate_process.hpp"
#include "lmdb/journal/log_table.hpp"
#include "lmdb/journal/opening.hpp"
#include "lmdb/journal/recovery.hpp"

#include <string>
#include <unordered_map>

#include <sys/stat.h>

namespace annals {
namespace lmdb {
namespace {

/// Reads a whole store once, in the order of the log, and keeps every stream's head.
class verification {
public:
    verification(MDB_txn* txn, const tables& table, const index_tables& index) noexcept
        : txn_(txn),
          table_(table),
          index_(txn, index) {}

    /// Reads on through position `last`, checking each record against its stream and its commit.
    [[nodiscard]] result<void> read_log_through(log_position last);
    /// The last commit is whole.
    [[nodiscard]] result<void> check_end() const;
    /// The index covers everything read so far, and leads to events of its streams.
    [[nodiscard]] result<void> check_index() const;

    [[nodiscard]] std::uint64_t events() const noexcept { return position_; }
    [[nodiscard]] std::uint64_t streams() const noexcept { return heads_.size(); }

private:
    [[nodiscard]] result<void> check_record(const record& event);
    [[nodiscard]] result<std::uint64_t> check_block(const head_block& block) const;
    [[nodiscard]] result<std::uint64_t> check_head(std::string_view stream,
                                                   const stream_head& stored) const;

    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };

    MDB_txn* txn_;
    tables table_;
    stream_index index_;
    std::unordered_map<std::string, stream_head, text_hash, std::equal_to<>> heads_;
    log_position position_ = 0; ///< the last one read
    bool commit_is_open_ = false;
    std::string open_stream_;
    uuid open_command_;
};

result<void> verification::read_log_through(log_position last) {
    cursor_handle cursor;
    auto rc = open_cursor(txn_, table_.log, cursor);
    auto step = MDB_SET_RANGE;
    while (rc == 0 && position_ < last) {
        std::size_t number = position_ + 1;
        auto key = as_value(number);
        MDB_val value{};
        rc = mdb_cursor_get(cursor.get(), &key, &value, std::exchange(step, MDB_NEXT));
        if (rc == MDB_NOTFOUND || (rc == 0 && position_of(key) != position_ + 1))
            return corrupt_at(position_ + 1, "there is no such record");
        if (rc != 0)
            break;
        const auto event = parse_record(position_ + 1, as_bytes(value));
        if (!event)
            return event.error();
        if (auto checked = check_record(*event); !checked)
            return checked;
        ++position_;
    }
    if (rc != 0)
        return lmdb_error(rc, "cannot read the log");
    return {};
}

result<void> verification::check_record(const record& event) {
    if (auto named = check_stream_name(event.stream); !named)
        return corrupt_at(event.position, named.error().message);
    if (commit_is_open_ && (event.stream != open_stream_ || event.command_id != open_command_))
        return corrupt_at(event.position, "it stands within another event's commit");
    auto found = heads_.find(event.stream);
    if (found == heads_.end())
        found = heads_.try_emplace(std::string(event.stream)).first;
    auto& head = found->second;
    if (event.version != head.version() + 1 || event.previous != head.last() ||
        event.jump != head.next_jump())
        return corrupt_at(event.position, "its links do not fit its stream");
    head.push(event.position);
    commit_is_open_ = !event.ends_commit;
    if (commit_is_open_) {
        open_stream_ = event.stream;
        open_command_ = event.command_id;
    }
    return {};
}

result<void> verification::check_end() const {
    if (commit_is_open_)
        return corrupt_at(position_, "the log ends within a commit");
    return {};
}

result<void> verification::check_index() const {
    std::uint64_t covered = 0;
    std::size_t blocks = 0;
    for (std::optional<head_block> block; !block || !block->high.empty(); ++blocks) {
        auto next = index_.block_after(block ? &*block : nullptr);
        if (!next)
            return next.error();
        const auto known = check_block(*next);
        if (!known)
            return known.error();
        covered += *known;
        block = *next;
    }
    const auto counted = index_.count_blocks();
    if (!counted)
        return counted.error();
    if (*counted != blocks)
        return damaged_index(lowest_name);
    if (covered != heads_.size())
        return corrupt_at(position_, "the index of streams reaches here, but of " +
                                         std::to_string(heads_.size()) + " streams it has " +
                                         std::to_string(covered));
    return {};
}

/// How many of its streams begin before here.
result<std::uint64_t> verification::check_block(const head_block& block) const {
    std::uint64_t covered = 0;
    block_entries entries(block.entries);
    std::string_view before;
    for (auto entry = entries.next(); entry; entry = entries.next()) {
        const auto head = decode_head(entry->head);
        if (!head || !block.covers(entry->name) || entry->name <= before)
            return damaged_index(entry->name);
        before = entry->name;
        const auto known = check_head(entry->name, *head);
        if (!known)
            return known;
        covered += *known;
    }
    return entries.ok() ? result<std::uint64_t>(covered) : damaged_index(block.low);
}

/// Returns 1 if the stream begins before here, 0 if it was stored later than the reach says.
result<std::uint64_t> verification::check_head(std::string_view stream,
                                               const stream_head& stored) const {
    const auto found = heads_.find(stream);
    const auto known = found == heads_.end() ? stream_version{0} : found->second.version();
    if (stored.version() < known)
        return corrupt_at(stored.last(), "the index of streams lags behind its reach at \"" +
                                             std::string(stream) + "\"");
    const log_table log(txn_, table_);
    auto version = stored.version();
    const auto positions = stored.positions();
    for (auto i = positions.size(); i-- != 0; version = jump_version(version))
        if (auto root = log.at(positions[i], stream, version); !root)
            return root.error();
    return known == 0 ? 0U : 1U;
}

result<store_report> verify(const open_store& files, const store_state& state) {
    txn_handle txn;
    if (const auto rc = begin_txn(files.env.get(), MDB_RDONLY, txn); rc != 0)
        return lmdb_error(rc, "cannot read the store");
    verification all(txn.get(), files.table, state.tables);
    auto checked = all.read_log_through(state.index.reach);
    if (checked && !files.earlier_format) // whose heads are not used any more
        checked = all.check_index();
    if (checked)
        checked = all.read_log_through(state.head);
    if (checked)
        checked = all.check_end();
    if (!checked)
        return checked.error();
    return store_report{.events = all.events(), .streams = all.streams(), .bytes = 0};
}

/// Precondition: the store is locked.
result<store_report> verify_file(const std::filesystem::path& directory,
                                 const std::filesystem::path& file, const lmdb_options& options) {
    const auto files = open_locked_to_verify(directory, file, options);
    if (!files)
        return files.error();
    const auto state = read_state(files->env.get(), files->table, files->damaged_tables);
    if (!state)
        return state.error();
    if (state->index.generation == 0 && !files->earlier_format)
        return state->index_damage.empty()
                   ? damaged_index(lowest_name)
                   : error{errc::corrupt, state->index_damage +
                                              ", in the index of streams; open the store, "
                                              "which makes it again from the log"};
    auto report = verify(*files, *state);
    if (!report)
        return report;
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0)
        report->bytes = static_cast<std::uint64_t>(status.st_blocks) * 512; // holes take no disk
    return report;
}

} // namespace
} // namespace lmdb

result<store_report> verify_store(const std::filesystem::path& directory,
                                  const lmdb_options& options) {
    const auto locked = lmdb::open_to_verify(directory, options);
    if (!locked)
        return locked.error();
    return lmdb::in_separate_process(
        [&] { return lmdb::verify_file(directory, locked->path, options); });
}

} // namespace annals
