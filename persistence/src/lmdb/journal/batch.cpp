#include "lmdb/journal/batch.hpp"

#include "codec/metadata_codec.hpp"
#include "journal/commit_check.hpp"

namespace annals::lmdb {
namespace {

/// Most bytes of records in one commit, names and metadata included: what LMDB can hold dirty.
constexpr std::size_t max_record_bytes = std::size_t{128} << 20;

} // namespace

int batch::start(MDB_txn* txn, log_position head) {
    txn_ = txn;
    start_ = head;
    next_ = head + 1;
    size_bytes_ = 0;
    fault_ = 0;
    return open_cursor(txn, table_.log, log_cursor_);
}

append_result batch::store(const commit& candidate) {
    auto stored = check_and_store(candidate);
    if (!stored)
        candidate.break_pipeline();
    return stored;
}

append_result batch::check_and_store(const commit& candidate) {
    if (candidate.cut_off())
        return predecessor_failed();
    if (auto checked = check_commit(candidate, limits_); !checked)
        return checked.error();
    auto entry = entry_of(candidate.stream);
    if (!entry)
        return entry.error();
    const auto& head = head_of(**entry);
    if (candidate.expected.holds_for(head.version()))
        return write(candidate, **entry);
    if (!candidate.expected.is_exact())
        return version_conflict(candidate, head.version());
    return find_commit(candidate, head);
}

result<cached_head*> batch::entry_of(std::string_view stream) {
    if (auto* const entry = heads_.find(stream))
        return entry;
    if (heads_.holds_all())
        return &heads_.insert(stream, stream_head());
    if (index_.distrusted())
        return index_is_old(stream);
    bool damaged = false;
    auto head =
        load_head(log_table(txn_, table_), stream_index(txn_, index_.tables()), stream, damaged);
    if (damaged) {
        index_.report_damage();
        return index_is_rebuilt(stream);
    }
    if (!head)
        return head.error();
    return &heads_.insert(stream, std::move(*head));
}

const stream_head& batch::head_of(const cached_head& entry) const noexcept {
    return entry.batch_index == cached_head::not_in_batch ? entry.head
                                                          : tentative_[entry.batch_index].head;
}

stream_head& batch::tentative(cached_head& entry) {
    if (entry.batch_index == cached_head::not_in_batch) {
        entry.batch_index = static_cast<std::uint32_t>(tentative_.size());
        tentative_.push_back({&entry, entry.head});
    }
    return tentative_[entry.batch_index].head;
}

append_result batch::find_commit(const commit& candidate, const stream_head& head) const {
    const auto version = candidate.expected.version();
    const auto conflict = version_conflict(candidate, head.version());
    if (version >= head.version())
        return conflict;
    const log_table log(txn_, table_);
    auto found = log.find(candidate.stream, head, version + 1);
    if (!found)
        return found.error();
    if (found->event.command_id != candidate.about->command_id)
        return conflict;
    if (version != 0) {
        // A commit begins where another ended; in its middle the command did not expect this.
        const auto before = log.at(found->event.previous, candidate.stream, version);
        if (!before)
            return before.error();
        if (!before->event.ends_commit)
            return conflict;
    }
    commit_comparison same(candidate);
    while (same.takes(found->event.as_event()) && !found->event.ends_commit) {
        // The events of a commit follow each other in the log.
        found = log.at(found->event.position + 1, candidate.stream, found->event.version + 1);
        if (!found)
            return found.error();
    }
    if (!same.holds())
        return other_commit(candidate, head.version());
    return append_receipt{found->event.position, found->event.version, true};
}

append_result batch::write(const commit& candidate, cached_head& entry) {
    metadata_.clear();
    encode_more_metadata(*candidate.about, metadata_, candidate.fingerprint);
    std::size_t size = 0;
    for (const auto& event : candidate.events)
        size += record_overhead_bytes + candidate.stream.size() + event.type.size() +
                metadata_.size() + event.payload.size();
    if (metadata_.size() > limits_.max_metadata_bytes)
        return error{errc::too_large, "metadata of " + std::to_string(metadata_.size()) +
                                          " bytes; the journal takes " +
                                          std::to_string(limits_.max_metadata_bytes) +
                                          "; shorten it"};
    if (size > max_record_bytes)
        return error{errc::too_large,
                     "a commit of " + std::to_string(size) + " bytes, of which each of its " +
                         std::to_string(candidate.events.size()) + " events repeats " +
                         std::to_string(metadata_.size()) +
                         " bytes of metadata; the journal takes " +
                         std::to_string(max_record_bytes) + "; split it, or shorten the metadata"};
    auto& head = tentative(entry);
    record event;
    event.time = candidate.about->time;
    event.command_id = candidate.about->command_id;
    event.command_named = candidate.command_named;
    event.stream = candidate.stream;
    event.more_metadata = metadata_;
    for (const auto& added : candidate.events) {
        event.position = next_;
        event.version = head.version() + 1;
        event.previous = head.last();
        event.jump = head.next_jump();
        event.type = added.type;
        event.payload = added.payload;
        event.ends_commit = &added == &candidate.events.back();
        fault_ = put(event);
        if (fault_ != 0)
            return lmdb_error(fault_, "cannot store events");
        head.push(next_++);
    }
    return append_receipt{.position = head.last(), .version = head.version()};
}

int batch::put(const record& event) {
    std::size_t number = event.position;
    auto key = as_value(number);
    MDB_val value{record_size(event), nullptr};
    const auto rc = mdb_cursor_put(log_cursor_.get(), &key, &value, MDB_APPEND | MDB_RESERVE);
    if (rc != 0)
        return rc;
    last_crc_ = write_record(event, static_cast<std::byte*>(value.mv_data));
    size_bytes_ += value.mv_size;
    return 0;
}

void batch::discard() {
    for (auto& each : tentative_) {
        each.entry->batch_index = cached_head::not_in_batch;
        if (each.entry->head.version() == 0)
            heads_.erase(*each.entry);
    }
    tentative_.clear();
}

} // namespace annals::lmdb
