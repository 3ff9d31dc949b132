#pragma once

#include "sink.hpp"

#include <memory>

namespace annals {

/// Where events become rows of a stored view: exactly once, or not yet.
///
/// Slices are folded on the sink's thread; the rows that an event changed and the checkpoint go to the
/// store in one transaction, and are reported when it is durable. While one part is stored the next
/// one is folded, over what is on its way. A slice that changes more than fits into one transaction
/// is stored in parts, between events.
///
/// **An event fails**: what it changed is taken back, what came before is stored, and then the failure
/// is reported. **The store fails**: `lost` is reported; nothing that is on its way is stored. With the
/// next epoch the sink begins again at what the store holds, and leaves out events that took effect.
///
/// A stretch of the log without an event for the view costs no transaction, except one every
/// `stored_fold::lazy_positions`: the stored checkpoint may be behind what was reported.
class stored_sink final : public sink {
public:
    /// `parts.threads[0]` has one thread, which host code and the disk may block. `parts.report` must
    /// not stop or destroy the sink. `type` outlives the work in flight. `start` is the checkpoint of
    /// `space`, whose rows nobody else changes.
    stored_sink(sink_parts parts, const stored_view_type& type, row_space space,
                const checkpoint_record& start);
    ~stored_sink() override;
    stored_sink(const stored_sink&) = delete;
    stored_sink& operator=(const stored_sink&) = delete;

    void take(slice what) override;
    void pass_over(row_changes& into, log_position done) override;
    /// The event being folded is the last one, and is not stored. What is being stored is stored.
    /// Nothing is reported after this has returned.
    void stop() override;

private:
    class line;
    std::shared_ptr<line> line_; ///< shared with its work in flight
};

} // namespace annals
