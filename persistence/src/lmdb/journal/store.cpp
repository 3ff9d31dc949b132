#include "lmdb/journal/store.hpp"

#include "lmdb/journal/writer.hpp"

namespace annals::lmdb {
namespace {

/// Metadata is written with every event, so it may not grow without limit.
constexpr std::size_t max_metadata_bytes = std::size_t{64} << 10;

journal_capabilities capabilities_of(const lmdb_options& options) {
    return {.durable = !options.unsafe_no_sync,
            .dense_positions = true,
            .max_commit_bytes = std::max(options.max_batch_bytes, options.max_event_bytes),
            .max_event_bytes = options.max_event_bytes,
            .max_metadata_bytes = max_metadata_bytes};
}

} // namespace

store::store(open_store opened, const store_state& state, const lmdb_options& chosen)
    : options(chosen),
      capabilities(capabilities_of(chosen)),
      files(std::move(opened)),
      head(state.head),
      note(files.directory, files.identity.id),
      flush(files.table, state.tables, state.index, chosen.cached_streams),
      index(state.tables),
      queue(chosen.max_queued_bytes),
      gate(files.env.get()),
      reads(gate, heads, files.table, index, queue) {}

std::optional<error> store::unusable() const {
    if (fork_generation() == born_in)
        return std::nullopt;
    return after_fork_error();
}

void store::run_writer() {
    writer({.env = files.env.get(),
            .table = files.table,
            .identity = files.identity,
            .queue = queue,
            .heads = heads,
            .flush = flush,
            .index = index,
            .gauge = gauge,
            .followers = followers,
            .note = note,
            .head = head,
            .watch = files.watch},
           options, capabilities)
        .run();
    if (options.unsafe_no_sync) // closed in good order, it is as durable as any store
        mdb_env_sync(files.env.get(), 1);
    gate.close();
    followers.ring_all();
    files.env.reset();
    files.lock = {};
}

} // namespace annals::lmdb
