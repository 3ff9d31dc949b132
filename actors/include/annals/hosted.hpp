#pragma once

#include "annals/domain.hpp"
#include "annals/stored_event.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <typeindex>
#include <vector>

/// A host's types behind interfaces, so that the actors need no templates and hosts need no actors.
/// `host<T>` (annals/host.hpp) implements them for every aggregate and view.
namespace annals {

/// The events of one decision, encoded into one buffer that can be reused.
class encoded_events {
public:
    struct entry {
        std::string_view type; ///< static storage
        std::size_t offset;
        std::size_t size;
    };

    void clear() noexcept {
        buffer_.clear();
        entries_.clear();
    }
    template <event E>
    void add(const E& happened) {
        if (buffer_.capacity() == 0)
            buffer_.reserve(usual_bytes);
        const std::size_t offset = buffer_.size();
        encoder to(buffer_);
        encode(to, happened);
        entries_.push_back({event_name<E>(), offset, buffer_.size() - offset});
    }
    [[nodiscard]] std::span<const entry> entries() const noexcept { return entries_; }
    [[nodiscard]] bytes_view payload(const entry& e) const noexcept {
        return bytes_view(buffer_).subspan(e.offset, e.size);
    }
    [[nodiscard]] std::size_t total_bytes() const noexcept { return buffer_.size(); }

private:
    /// One allocation does for most events.
    static constexpr std::size_t usual_bytes = 256;
    bytes buffer_;
    std::vector<entry> entries_;
};

/// What came of deciding one command.
struct verdict {
    enum class kind : std::uint8_t { no_events, events, rejected, failed };
    kind what = kind::no_events;
    rejection refused; ///< for rejected
    error failure{};   ///< for failed: the host's code threw; the instance must be dropped
};

/// The state of one aggregate. Used by one actor at a time.
class aggregate_instance {
public:
    virtual ~aggregate_instance() = default;

    /// Folds a stored event. On error the instance must be dropped.
    [[nodiscard]] virtual result<void> apply(const stored_event& happened) = 0;

    /// Decides on the state, folds the decided events into it, and encodes them. `command` points
    /// to a value of the type that has `index` in `aggregate_type::commands`.
    [[nodiscard]] virtual verdict decide(std::size_t index, const void* command,
                                         const command_context& context, std::string_view stream,
                                         encoded_events& out) = 0;
};

/// One kind of aggregate. Stateless, lives as long as the program.
class aggregate_type {
public:
    virtual ~aggregate_type() = default;
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    [[nodiscard]] virtual std::span<const std::type_index> commands() const noexcept = 0;
    [[nodiscard]] virtual std::unique_ptr<aggregate_instance> make() const = 0;
};

/// Events of one page, decoded for one view. Opaque: only its view type knows what is inside.
class decoded_events {
public:
    virtual ~decoded_events() = default;
    log_position through = 0; ///< the view reflects everything up to here once these are folded
    std::size_t count = 0;
    bool at_end = true; ///< nothing followed when they were read
};

/// Decoding ends early at an event that cannot be decoded; `decoded` then holds those before it.
struct decoding {
    std::unique_ptr<decoded_events> decoded;
    result<void> status;
};

/// The state of one view. Used by one actor at a time.
class view_instance {
public:
    virtual ~view_instance() = default;
    /// Folds events in order. On error (the host's code threw) the instance must be dropped; the
    /// error's `actual` is the position of the event.
    [[nodiscard]] virtual result<void> fold(const decoded_events& events) = 0;
    /// Points to the host's view value, for queries.
    [[nodiscard]] virtual const void* state() const noexcept = 0;
};

/// One kind of view. Stateless, lives as long as the program. `decode` is safe from any thread.
class view_type {
public:
    virtual ~view_type() = default;
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    [[nodiscard]] virtual std::span<const std::type_index> queries() const noexcept = 0;
    /// Identifies the view's C++ type.
    [[nodiscard]] virtual std::type_index type() const noexcept = 0;
    /// The events it wants, by name.
    [[nodiscard]] virtual event_filter filter() const = 0;
    [[nodiscard]] virtual decoding decode(const event_page& page) const = 0;
    [[nodiscard]] virtual std::unique_ptr<view_instance> make() const = 0;
};

/// What `runtime::open` is told to host: one aggregate type or one view type.
struct hosted {
    const aggregate_type* aggregate = nullptr;
    const view_type* view = nullptr;
};

} // namespace annals
