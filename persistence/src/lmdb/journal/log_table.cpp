#include "lmdb/journal/log_table.hpp"

#include <cstring>

namespace annals::lmdb {

log_position position_of(const MDB_val& key) noexcept {
    std::size_t position = 0;
    if (key.mv_size == sizeof position)
        std::memcpy(&position, key.mv_data, sizeof position);
    return position;
}

result<stored_record> log_table::at(log_position position) const {
    std::size_t number = position;
    auto key = as_value(number);
    MDB_val value{};
    const auto rc = mdb_get(txn_, table_.log, &key, &value);
    if (rc == MDB_NOTFOUND)
        return corrupt_at(position, "there is no such record");
    if (rc != 0)
        return lmdb_error(rc, "cannot read the log");
    auto parsed = parse_record(position, as_bytes(value));
    if (!parsed)
        return parsed.error();
    return stored_record{*parsed, as_bytes(value)};
}

result<stored_record> log_table::at(log_position position, std::string_view stream,
                                    stream_version version) const {
    auto found = at(position);
    if (found && (found->event.stream != stream || found->event.version != version))
        return corrupt_at(position, "a link of stream \"" + std::string(stream) +
                                        "\" leads to an event of another place");
    return found;
}

result<stored_record> log_table::find(std::string_view stream, const stream_head& head,
                                      stream_version version) const {
    auto place = head.nearest(version);
    for (;;) {
        auto found = at(place.position, stream, place.version);
        if (!found || place.version == version)
            return found;
        const auto jump = jump_version(place.version);
        place = jump >= version ? stream_head::place{jump, found->event.jump}
                                : stream_head::place{place.version - 1, found->event.previous};
    }
}

result<log_position> log_table::last() const {
    cursor_handle cursor;
    if (const auto rc = open_cursor(txn_, table_.log, cursor); rc != 0)
        return lmdb_error(rc, "cannot read the log");
    MDB_val key{};
    MDB_val value{};
    const auto rc = mdb_cursor_get(cursor.get(), &key, &value, MDB_LAST);
    if (rc == MDB_NOTFOUND)
        return log_position{0};
    if (rc != 0)
        return lmdb_error(rc, "cannot read the log");
    return position_of(key);
}

} // namespace annals::lmdb
