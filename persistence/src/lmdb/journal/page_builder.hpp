#pragma once

#include "annals/stored_event.hpp"
#include "lmdb/journal/log_table.hpp"

namespace annals::lmdb {

/// Puts a page of events together from records that are only there during a snapshot: they are
/// noted one by one, and copied in one piece before the snapshot ends.
class page_builder {
public:
    void note(const stored_record& found) {
        noted_.push_back(found);
        noted_bytes_ += found.bytes.size();
    }
    /// Copies what was noted into the page, in that order.
    void keep();
    /// The same from the last noted to the first, but only so many that the page does not grow
    /// beyond `max_bytes`; at least one. Returns how many.
    std::size_t keep_backwards(std::size_t max_bytes);
    /// Forgets what was noted.
    void drop() noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return page_.events.size() + noted_.size(); }
    /// Bytes of what was kept and noted.
    [[nodiscard]] std::size_t size_bytes() const noexcept { return kept_bytes_ + noted_bytes_; }

    /// Precondition: nothing is noted that was not kept or dropped.
    [[nodiscard]] event_page finish(log_position through, bool at_end) &&;
    /// Position of the last event kept; 0 if there is none.
    [[nodiscard]] log_position last_position() const noexcept {
        return page_.events.empty() ? 0 : page_.events.back().position;
    }

private:
    using blocks = std::vector<std::unique_ptr<std::byte[]>>;

    event_page page_;
    std::vector<stored_record> noted_;
    std::size_t noted_bytes_ = 0;
    std::size_t kept_bytes_ = 0;
    blocks memory_;
};

} // namespace annals::lmdb
