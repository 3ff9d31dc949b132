#pragma once

#include "annals/journal.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace annals {

/// Events in memory, by position and by stream. What was stored never moves and is never changed,
/// so views of it hold as long as the log lives. Not thread-safe: the journal locks.
class memory_log {
public:
    [[nodiscard]] log_position head() const noexcept { return events_.size(); }
    [[nodiscard]] stream_version version_of(std::string_view stream) const noexcept;
    [[nodiscard]] stream_info describe(std::string_view stream) const noexcept;

    /// Stores the commit's events. Precondition: it passed every check.
    append_receipt store(const commit& candidate);

    /// The receipt of `candidate` if it is stored already where it expects to be, or the conflict.
    /// Precondition: it expects an exact version, which is not the stream's.
    [[nodiscard]] append_result find_commit(const commit& candidate) const;

    // The pages do not own their memory yet: the journal sets `event_page::memory`.
    [[nodiscard]] event_page read_stream(std::string_view stream, stream_version from,
                                         std::size_t max, direction way) const;
    [[nodiscard]] event_page read_all(log_position after, std::size_t max,
                                      const event_filter& filter) const;

private:
    /// Blocks of memory that only grow.
    class arena {
    public:
        [[nodiscard]] bytes_view keep(bytes_view value);

    private:
        std::vector<std::unique_ptr<std::byte[]>> blocks_;
        std::size_t free_ = 0; ///< bytes left at the end of the last block
        std::byte* next_ = nullptr;
    };

    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };

    /// Positions of a stream's events: version v is at index v - 1.
    using stream_positions = std::vector<log_position>;

    [[nodiscard]] const stored_event& at(log_position position) const noexcept {
        return events_[position - 1];
    }
    [[nodiscard]] const stream_positions& positions_of(std::string_view stream) const noexcept;
    [[nodiscard]] std::string_view interned(std::string_view type);

    std::deque<stored_event> events_;
    std::unordered_map<std::string, stream_positions, text_hash, std::equal_to<>> streams_;
    std::unordered_set<std::string, text_hash, std::equal_to<>> types_;
    arena memory_;
    bytes scratch_;
};

} // namespace annals
