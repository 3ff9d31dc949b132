#include "lmdb/journal/tail_note.hpp"

#include "lmdb/file/crc32c.hpp"
#include "lmdb/file/file_system.hpp"
#include "lmdb/file/meta_pages.hpp"
#include "lmdb/file/varint.hpp"

#include <algorithm>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace annals::lmdb {
namespace {

namespace fs = std::filesystem;

constexpr std::array<char, 8> magic = {'a', 'n', 'n', 'a', 'l', 's', 't', '\n'};
constexpr std::size_t crc_at = tail_bytes - 4;

std::string quoted(const fs::path& path) {
    return "\"" + path.string() + "\"";
}

/// What to do about a log that is not the one of the note.
std::string advice(const fs::path& note) {
    return "restore the store from a backup; if this file was put here on purpose, delete " +
           quoted(note) + " and open the store again";
}

error tail_is_missing(const fs::path& note, log_position last, log_position noted) {
    return {errc::corrupt,
            "the log ends at position " + std::to_string(last) + ", but by " + quoted(note) +
                " it was stored as far as position " + std::to_string(noted) + ": positions " +
                std::to_string(last + 1) + " to " + std::to_string(noted) + " are missing; " +
                advice(note),
            last + 1};
}

result<void> check_count(MDB_txn* txn, const tables& table, log_position last) {
    MDB_stat stat{};
    if (const auto rc = mdb_stat(txn, table.log, &stat); rc != 0)
        return lmdb_error(rc, "cannot read the log");
    if (stat.ms_entries == last)
        return {};
    return error{errc::corrupt,
                 "the log ends at position " + std::to_string(last) + ", but the store counts " +
                     std::to_string(stat.ms_entries) +
                     " events: some are missing; restore the store from a backup",
                 std::min<std::uint64_t>(stat.ms_entries, last) + 1};
}

/// The log holds the record that the note speaks of. One whose bytes are damaged is found by whoever
/// reads it; here it proves nothing.
result<void> check_record(const fs::path& note, const log_table& log, const log_tail& tail) {
    const auto found = log.at(tail.position);
    if (!found || get_fixed<std::uint32_t>(found->bytes.data()) == tail.record_crc)
        return {};
    return error{errc::corrupt,
                 "the event at position " + std::to_string(tail.position) +
                     " is another one than " + quoted(note) +
                     " speaks of: the log was exchanged for another; " + advice(note),
                 tail.position};
}

} // namespace

std::array<std::byte, tail_bytes> encode_tail(const log_tail& tail) {
    std::array<std::byte, tail_bytes> bytes{};
    auto* at = std::copy(magic.begin(), magic.end(), reinterpret_cast<char*>(bytes.data()));
    std::memcpy(at, tail.store.bytes.data(), tail.store.bytes.size());
    auto* numbers = bytes.data() + magic.size() + tail.store.bytes.size();
    numbers = put_fixed(numbers, tail.position);
    numbers = put_fixed(numbers, tail.transaction);
    numbers = put_fixed(numbers, tail.record_crc);
    numbers = put_fixed(numbers, tail.meta_crc);
    put_fixed(numbers, crc32c().add(bytes.data(), crc_at).value());
    return bytes;
}

std::optional<log_tail> decode_tail(bytes_view stored) {
    if (stored.size() != tail_bytes ||
        std::memcmp(stored.data(), magic.data(), magic.size()) != 0 ||
        get_fixed<std::uint32_t>(stored.data() + crc_at) !=
            crc32c().add(stored.data(), crc_at).value())
        return std::nullopt;
    log_tail tail;
    const auto* at = stored.data() + magic.size();
    std::memcpy(tail.store.bytes.data(), at, tail.store.bytes.size());
    at += tail.store.bytes.size();
    tail.position = get_fixed<log_position>(at);
    tail.transaction = get_fixed<std::uint64_t>(at + 8);
    tail.record_crc = get_fixed<std::uint32_t>(at + 16);
    tail.meta_crc = get_fixed<std::uint32_t>(at + 20);
    return tail;
}

result<std::optional<log_tail>> read_tail(const fs::path& directory) {
    const auto note = directory / tail_file_name;
    const auto file = open_own_file(note, O_RDONLY);
    if (file < 0) {
        if (auto wrong = not_a_file(note))
            return *std::move(wrong);
        return std::optional<log_tail>();
    }
    std::array<std::byte, tail_bytes + 1> stored;
    const auto size = ::pread(file, stored.data(), stored.size(), 0);
    ::close(file);
    return decode_tail(bytes_view(stored).first(size < 0 ? 0 : static_cast<std::size_t>(size)));
}

result<void> check_tail(const fs::path& directory, MDB_txn* txn, const tables& table,
                        const store_identity& identity) {
    const auto meta = read_meta_pages(mdb_txn_env(txn));
    if (!meta)
        return meta.error();
    const log_table log(txn, table);
    const auto last = log.last();
    if (!last)
        return last.error();
    if (auto counted = check_count(txn, table, *last); !counted)
        return counted;
    const auto read = read_tail(directory);
    if (!read)
        return read.error();
    const auto& tail = *read;
    if (!tail)
        return {};
    const auto note = directory / tail_file_name;
    if (tail->store != identity.id)
        return error{errc::corrupt, quoted(note) + " belongs to another store, that ended at " +
                                        "position " + std::to_string(tail->position) + "; " +
                                        advice(note)};
    if (tail->position > *last)
        return tail_is_missing(note, *last, tail->position);
    if (tail->transaction == meta->transaction && tail->meta_crc != meta->crc)
        return error{errc::corrupt,
                     "the page that says where the store's tables begin is damaged; " +
                         advice(note)};
    return tail->position == 0 ? result<void>() : check_record(note, log, *tail);
}

tail_note::tail_note(const fs::path& directory, const uuid& store) : store_(store) {
    std::error_code failed;
    path_ = fs::absolute(directory, failed) / tail_file_name;
}

tail_note::~tail_note() {
    if (file_ >= 0)
        ::close(file_);
}

void tail_note::write(MDB_env* env, log_position position, std::uint32_t record_crc) noexcept {
    position_ = position;
    record_crc_ = record_crc;
    renew(env);
}

void tail_note::renew(MDB_env* env) noexcept {
    if (position_ == 0)
        return; // nothing was stored since the opening: what the note says is still true
    if (file_ < 0)
        file_ = open_own_file(path_, O_WRONLY | O_CREAT);
    const auto meta = read_meta_pages(env);
    if (file_ < 0 || !meta)
        return;
    const auto bytes = encode_tail({.store = store_,
                                    .position = position_,
                                    .transaction = meta->transaction,
                                    .record_crc = record_crc_,
                                    .meta_crc = meta->crc});
    static_cast<void>(::pwrite(file_, bytes.data(), bytes.size(), 0) < 0);
}

} // namespace annals::lmdb
