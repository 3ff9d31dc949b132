#pragma once

#include "hosted_projection.hpp"
#include "lane_start.hpp"
#include "messages.hpp"
#include "sink.hpp"

#include <caf/actor.hpp>

#include <memory>
#include <vector>

/// What a projection's actor makes its lanes of. The `..._start` functions block on the disk.
namespace annals {

/// Hands slices to the query actor of a view in memory, which reports to the projection's actor.
class memory_sink final : public sink {
public:
    memory_sink(caf::actor queries, std::uint64_t lane)
        : queries_(std::move(queries)),
          lane_(lane) {}
    void take(slice what) override;
    void pass_over(row_changes&, log_position) override {} // the list itself says so
    void stop() override;

private:
    caf::actor queries_;
    const std::uint64_t lane_;
};

[[nodiscard]] std::unique_ptr<sink> make_stored_sink(sink_parts parts, const hosted_projection& of,
                                                     row_space space,
                                                     const checkpoint_record& start);
/// `core`: commands that the handlers send go there.
[[nodiscard]] std::unique_ptr<sink>
make_reaction_sink(sink_parts parts, const std::weak_ptr<engine_core>& core,
                   const std::vector<std::shared_ptr<reaction_type::handler>>& handlers,
                   const hosted_projection& of, row_space space, const checkpoint_record& start);

/// A view in memory from its saved copy, or from nothing. `handler_failed` if its constructor throws.
[[nodiscard]] result<lane_start> restored_start(const hosted_projection& of);
/// A view in memory from nothing, reflecting what comes after `since`.
[[nodiscard]] result<lane_start> fresh_start(const hosted_projection& of, log_position since);
/// Why a reaction does not begin though it has a checkpoint: `projection_record::put_back`.
[[nodiscard]] result<lane_start> put_back(const hosted_projection& of);
/// Where the generation in `space` stands.
[[nodiscard]] result<lane_start> checkpoint_start(const hosted_projection& of, row_space space);

/// The one event at `position`, decoded for this projection.
[[nodiscard]] result<bool> is_set_aside(const hosted_projection& of, log_position position);
[[nodiscard]] result<fed_events> read_one(const hosted_projection& of, const journal& from,
                                          log_position position);

} // namespace annals
