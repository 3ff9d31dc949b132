#include "lmdb/journal/index_keeper.hpp"

#include <algorithm>

namespace annals::lmdb {
namespace {

/// Most heads of the index being made that wait in memory.
constexpr std::size_t most_waiting = 65'536;
/// Records read in one piece while an index is made.
constexpr std::size_t records_in_a_piece = 4'096;
/// Records compared in one piece: while nothing is stored, and for each so many that are.
constexpr std::size_t compared_when_idle = 1'000;
constexpr std::size_t stored_for_one = 32;
/// The same while an index is made.
constexpr std::size_t compared_while_building = 2'000;
constexpr auto full_disk_pause = std::chrono::milliseconds(1'000);
constexpr auto idle_pause = std::chrono::milliseconds(20);

} // namespace

error index_is_rebuilt(std::string_view stream) {
    return {errc::unavailable, "the index of streams is damaged where \"" + std::string(stream) +
                                   "\" belongs, and is being made again from the log; send again"};
}

error index_is_old(std::string_view stream) {
    return {errc::unavailable,
            "the index of streams is older than the log, and is being made again from it; until "
            "then no stream that is not in memory is answered, \"" +
                std::string(stream) + "\" among them; send again"};
}

index_keeper::building::building(const surroundings& around, const store_state& fresh,
                                 std::size_t cached)
    : flush(around.table, fresh.tables, fresh.index, cached),
      replay(around.env, around.table, fresh.tables, 0, heads, flush),
      state(fresh) {}

bool index_keeper::comparing(log_position head) const noexcept {
    return !complete_ ? compared_ < head : head > compared_all_ + compared_all_ / 2 + 10'000;
}

std::optional<std::chrono::milliseconds> index_keeper::patience(log_position head) const {
    if (building_ || around_.index.damaged())
        return disk_full_ ? full_disk_pause : std::chrono::milliseconds(0);
    if (comparing(head))
        return idle_pause;
    return std::nullopt;
}

result<void> index_keeper::work(log_position head, std::size_t events) {
    // Also beside a damaged block, as another one may be sound but old: that must not be believed.
    if (comparing(head) && !around_.index.distrusted())
        compare(head, building_     ? compared_while_building
                      : events == 0 ? compared_when_idle
                                    : events / stored_for_one + 1);
    if (building_)
        return waiting_for_room(build(head));
    if (around_.index.damaged())
        return waiting_for_room(begin());
    return {};
}

result<void> index_keeper::waiting_for_room(result<void> done) {
    disk_full_ = !done && done.error().code == errc::disk_full;
    return disk_full_ ? result<void>() : done;
}

result<void> index_keeper::begin() {
    around_.flush.suspend();
    store_state fresh;
    if (auto begun = begin_index(around_.env, around_.table, around_.identity, fresh); !begun)
        return begun;
    around_.gauge.rebuilds.fetch_add(1);
    around_.gauge.rebuilt_through.store(0);
    around_.gauge.rebuilding.store(true);
    building_ = std::make_unique<building>(around_, fresh, std::min(cached_streams_, most_waiting));
    return {};
}

result<void> index_keeper::build(log_position head) {
    const auto limit = std::min(cached_streams_, most_waiting);
    auto& [heads, flush, replay, state] = *building_;
    static_cast<void>(state);
    if (flush.in_cycle() || flush.dirty() > limit) {
        auto written = flush.write_some(around_.env, replay.position());
        if (!written)
            return written.error();
        heads.evict(limit, 4 * records_in_a_piece);
        return {};
    }
    if (auto read = replay.read(head, records_in_a_piece); !read)
        return read;
    around_.gauge.rebuilt_through.store(replay.position());
    if (replay.position() == head)
        hand_over();
    return {};
}

void index_keeper::hand_over() {
    auto& made = *building_;
    made.flush.for_each_dirty([this](const cached_head& entry) {
        auto* known = around_.heads.find(entry.name());
        if (known == nullptr)
            known = &around_.heads.insert(entry.name(), entry.head);
        else if (known->head.version() < entry.head.version())
            around_.heads.publish(*known, entry.head);
        around_.flush.changed(*known);
    });
    around_.flush.adopt(made.state.tables, made.flush.state());
    around_.index.exchange(made.state.tables);
    around_.gauge.rebuilding.store(false);
    building_.reset();
    compared_ = 0;
    complete_ = false;
}

void index_keeper::compare(log_position head, std::size_t most) {
    if (complete_) {
        complete_ = false;
        compared_ = 0;
    }
    txn_handle txn;
    if (const auto rc = begin_txn(around_.env, MDB_RDONLY, txn); rc != 0)
        return; // no reader's place is free now
    const log_table log(txn.get(), around_.table);
    const stream_index index(txn.get(), around_.index.tables());
    for (; most != 0 && compared_ != head; --most, ++compared_) {
        const auto record = log.at(compared_ + 1);
        if (!record)
            continue; // whoever reads it is told
        const auto* const known = around_.heads.find(record->event.stream);
        if (known != nullptr && known->head.version() >= record->event.version)
            continue;
        if (known == nullptr) {
            const auto stored = index.find(record->event.stream);
            if (stored && stored->version() >= record->event.version)
                continue;
            if (!stored) { // only who needs this block is refused
                around_.index.report_damage();
                continue;
            }
        }
        // What is sound but old may have been believed already: it goes from memory, too.
        around_.heads.drop_clean();
        around_.index.distrust();
        around_.index.report_damage();
        return;
    }
    around_.gauge.checked_through.store(compared_);
    if (compared_ != head || around_.index.damaged())
        return;
    complete_ = true;
    compared_all_ = head;
    around_.gauge.checks_completed.fetch_add(1);
}

} // namespace annals::lmdb
