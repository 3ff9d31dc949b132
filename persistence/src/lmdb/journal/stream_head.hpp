#pragma once

#include "annals/codec.hpp"
#include "annals/metadata.hpp"

#include <array>
#include <memory>
#include <optional>

/// How the events of one stream are linked: a skew-binary random-access list (E. Myers, "An
/// applicative random-access stack", 1983). Besides the link to the event before it, each event has
/// a jump pointer that passes over a whole tree of 2^k - 1 events, so that any version is reached
/// from any later one in O(log n) steps, and appending needs no look at earlier events.
namespace annals::lmdb {

/// The version that the jump pointer of `version` leads to; 0 if it leads to none. Depends on the
/// version alone. Precondition: version > 0.
[[nodiscard]] stream_version jump_version(stream_version version) noexcept;

/// The end of a stream: its version and the positions of the events that begin its trees (the last
/// event, its jump target, that one's jump target, and so on; at most two for each power of two).
class stream_head {
public:
    stream_head() noexcept = default;
    stream_head(const stream_head& other) { *this = other; }
    stream_head& operator=(const stream_head& other);
    stream_head(stream_head&& other) noexcept { *this = std::move(other); }
    stream_head& operator=(stream_head&& other) noexcept;
    ~stream_head() { release(); }

    /// 0: the stream does not exist.
    [[nodiscard]] stream_version version() const noexcept { return version_; }
    /// Position of the last event; 0 if there is none.
    [[nodiscard]] log_position last() const noexcept {
        return count_ == 0 ? 0 : roots()[count_ - 1U];
    }
    /// Where the jump pointer of the next event leads; 0 if to none.
    [[nodiscard]] log_position next_jump() const noexcept;
    /// Appends the event at `position`. Precondition: position > last().
    void push(log_position position);

    /// The tree root nearest above or at `version`: where to begin walking to it.
    /// Precondition: 0 < version <= version().
    struct place {
        stream_version version;
        log_position position;
    };
    [[nodiscard]] place nearest(stream_version version) const noexcept;

    /// Positions of the roots, oldest first.
    [[nodiscard]] std::span<const log_position> positions() const noexcept {
        return {roots(), count_};
    }

    /// Takes the place of what a table holds. Precondition: as many positions as the version has
    /// trees, ascending.
    [[nodiscard]] static stream_head of(stream_version version,
                                        std::span<const log_position> positions);

    friend bool operator==(const stream_head& a, const stream_head& b) noexcept;

private:
    static constexpr std::uint8_t inline_roots = 4; // enough for any stream of up to 11 events

    [[nodiscard]] const log_position* roots() const noexcept {
        return capacity_ == inline_roots ? few_.data() : many_;
    }
    [[nodiscard]] log_position* roots() noexcept {
        return capacity_ == inline_roots ? few_.data() : many_;
    }
    void reserve(std::uint8_t capacity);
    void release() noexcept;
    /// True if the next event joins the two smallest trees, which are then of equal size.
    [[nodiscard]] bool next_joins() const noexcept;

    stream_version version_ = 0;
    union {
        std::array<log_position, inline_roots> few_{};
        log_position* many_;
    };
    std::uint8_t count_ = 0;
    std::uint8_t capacity_ = inline_roots;
};

/// Number of trees in a stream of `version` events.
[[nodiscard]] std::size_t tree_count(stream_version version) noexcept;

/// Most bytes of a head: a version and its trees, of which 2^64 - 1 events have 65 at most.
inline constexpr std::size_t max_head_bytes = (1 + 65) * 10;

/// Writes the version, the position of the last event, and the distances from root to root, as
/// varints; returns how many bytes that took, at most `max_head_bytes`. Whoever keeps them adds a
/// checksum.
std::size_t encode_head(const stream_head& head, std::byte* to) noexcept;

/// Nothing for bytes that `encode_head` did not write.
[[nodiscard]] std::optional<stream_head> decode_head(bytes_view stored);

} // namespace annals::lmdb
