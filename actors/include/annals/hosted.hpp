#pragma once

#include "annals/domain.hpp"
#include "annals/log_mark.hpp"
#include "annals/memory_of.hpp"
#include "annals/projection.hpp"
#include "annals/stored_event.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>
#include <vector>

/// A host's types behind interfaces, so that the actors need no templates and hosts need no actors.
/// `host<T>` (annals/host.hpp) implements them for every aggregate and view.
namespace annals {

/// The events of one decision, encoded into one buffer that can be reused.
class encoded_events {
public:
    /// What the journal takes.
    struct limits {
        std::size_t event_bytes = ~std::size_t{0};
        std::size_t commit_bytes = ~std::size_t{0};
    };

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
    /// `too_large` if the journal would refuse them.
    [[nodiscard]] result<void> check(const limits& within) const;
    /// The memory they hold.
    [[nodiscard]] std::size_t held_bytes() const noexcept {
        return allocated_bytes(buffer_.capacity()) +
               allocated_bytes(entries_.capacity() * sizeof(entry));
    }
    /// Gives their memory back.
    void let_go() noexcept {
        bytes().swap(buffer_);
        std::vector<entry>().swap(entries_);
    }

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
    error failure{};   ///< for failed: the host's code threw, or its events are too large
    /// For failed: the state may be changed in part, so the instance must be dropped.
    bool state_lost = false;
};

/// The state of one aggregate. Used by one actor at a time.
class aggregate_instance {
public:
    virtual ~aggregate_instance() = default;

    /// Folds a stored event. On error the instance must be dropped.
    [[nodiscard]] virtual result<void> apply(const stored_event& happened) = 0;

    /// Decides on the state, encodes the decided events, and, if all are within `limits`, folds them
    /// into the state. `command` points to a value of the type that has `index` in
    /// `aggregate_type::commands`.
    [[nodiscard]] virtual verdict decide(std::size_t index, const void* command,
                                         const command_context& context, std::string_view stream,
                                         const encoded_events::limits& limits,
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

/// What is known of one event without decoding it.
struct event_label {
    log_position position = 0;
    std::string_view stream; ///< in the memory of the slice it is in
    std::string_view type;   ///< static storage, or likewise
};

/// Some events in log order, decoded for one projection. Opaque: only its type knows what is inside.
/// Immutable once made.
class decoded_events {
public:
    virtual ~decoded_events() = default;
    [[nodiscard]] virtual event_label label(std::size_t index) const noexcept = 0;
    [[nodiscard]] virtual timestamp time(std::size_t index) const noexcept = 0;
    /// See log_mark.
    [[nodiscard]] virtual log_mark mark(std::size_t index) const noexcept {
        return {label(index).position, 0};
    }

    log_mark marked; ///< of the last event of the log up to `through` that is known; id 0: none is
    log_position through = 0; ///< everything up to here has been looked at
    std::size_t count = 0;
    bool at_end = true;    ///< nothing followed when they were read
    steady_time read_at{}; ///< when the reading began
};

/// Decoding ends before an event that cannot be decoded, and says why in `status`.
struct decoding {
    std::unique_ptr<decoded_events> decoded; ///< never null
    std::size_t next = 0; ///< the index in the page of the first event that was not decoded
    result<void> status;
};

/// How far folding came: all, or up to an event whose handler failed.
struct folding {
    std::size_t next = 0; ///< index of the first event that was not folded
    result<void> status;  ///< the error of the event at `next`; its `actual` is the position
};

/// What the three kinds of projection have in common. Immutable; safe from any thread.
class projection_type {
public:
    virtual ~projection_type() = default;
    [[nodiscard]] virtual projection_kind kind() const noexcept = 0;
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    [[nodiscard]] virtual std::uint32_t version() const noexcept = 0;
    /// Text that is another one if what it keeps means something else though its version is the same;
    /// see `generation_record::meaning`. Throws what the constructors of the host's types throw.
    [[nodiscard]] virtual std::string meaning() const = 0;
    /// The events it wants, by name and category.
    [[nodiscard]] virtual event_filter filter() const = 0;
    /// Decodes the events of `page` from index `first` on, except those whose positions `skip`
    /// (sorted) has.
    [[nodiscard]] virtual decoding decode(const event_page& page, std::size_t first,
                                          std::span<const log_position> skip) const = 0;
    /// Identifies the host's C++ type.
    [[nodiscard]] virtual std::type_index type() const noexcept = 0;
    /// Query types it answers; none if it is a reaction.
    [[nodiscard]] virtual std::span<const std::type_index> queries() const noexcept = 0;
};

/// The state of one view in memory. Used by one actor at a time.
class view_instance {
public:
    virtual ~view_instance() = default;
    /// Folds the events from index `first` to before `end`, in order. When the host's code throws,
    /// the instance may be changed in part: it must be dropped.
    [[nodiscard]] virtual folding fold(const decoded_events& events, std::size_t first,
                                       std::size_t end) = 0;
    /// Points to the host's view value, for queries.
    [[nodiscard]] virtual const void* state() const noexcept = 0;
    /// A copy; null if the host's type cannot be copied. May throw what its copying throws.
    [[nodiscard]] virtual std::unique_ptr<view_instance> clone() const = 0;
    /// Appends the view's encoding. Precondition: `view_type::can_save`. May throw.
    virtual void save(bytes& into) const = 0;
    /// Takes the place of what `save` wrote. `errc::undecodable`.
    [[nodiscard]] virtual result<void> load(bytes_view saved) = 0;
};

/// One kind of view in memory.
class view_type : public projection_type {
public:
    [[nodiscard]] virtual std::unique_ptr<view_instance> make() const = 0;
    [[nodiscard]] virtual bool can_save() const noexcept = 0;
    [[nodiscard]] virtual bool can_copy() const noexcept = 0;
};

/// One kind of stored view. Its value is bound to rows for as long as it is used.
class stored_view_type : public projection_type {
public:
    /// A value of the host's type over `rows`, which outlives it.
    class bound {
    public:
        virtual ~bound() = default;
        /// As `view_instance::fold`. When the host's code throws, `rows` still has what the failed
        /// event had written: the caller takes that back. `began(i)` runs before each event.
        [[nodiscard]] virtual folding fold(const decoded_events& events, std::size_t first,
                                           std::size_t end,
                                           const std::function<void(std::size_t)>& began) = 0;
        [[nodiscard]] virtual const void* state() const noexcept = 0;
    };
    [[nodiscard]] virtual std::unique_ptr<bound> bind(class table_rows& rows) const = 0;
    /// The names of its tables; see `generation_record::shape`.
    [[nodiscard]] virtual std::string shape() const = 0;
};

/// How one event is delivered to a reaction.
struct delivery_terms {
    bool redelivered = false;
    unsigned attempt = 1;
    std::stop_token stop;
    /// For the commands that the handler sends. Null: there is no runtime.
    std::shared_ptr<class command_sender> sender = nullptr;
};

/// How the handling of one event ended, or that it has not ended yet.
struct handled {
    using told = std::function<void(result<void>)>;

    handled(result<void> ended) : how(std::move(ended)) {}
    [[nodiscard]] static handled later(std::function<void(told)> tell) {
        handled made{result<void>()};
        made.when_ended = std::move(tell);
        return made;
    }

    result<void> how;
    /// Not empty: `how` is not known yet. Call it once, with what is to run, once and on any thread
    /// (perhaps at once), when the handling has ended.
    std::function<void(told)> when_ended;
};

/// One reaction, with the host's object inside.
class reaction_type : public projection_type {
public:
    /// The host's object for one partition. Used by one thread at a time.
    class handler {
    public:
        virtual ~handler() = default;
        /// Catches what the host's code throws: `handler_failed`. `events` has to last until the
        /// handling has ended.
        [[nodiscard]] virtual handled react(const decoded_events& events, std::size_t index,
                                            const delivery_terms& terms) = 0;
    };
    /// `handler::react` may end later: some of the host's `react` return a future or a task.
    [[nodiscard]] virtual bool ends_later() const noexcept = 0;
    [[nodiscard]] virtual reaction_start start() const noexcept = 0;
    /// `invalid_argument` if there is to be more than one and the host's type cannot be copied.
    [[nodiscard]] virtual result<std::vector<std::unique_ptr<handler>>>
    handlers(std::size_t partitions) const = 0;
};

/// What `runtime::open` is told to host.
struct hosted {
    const aggregate_type* aggregate = nullptr;
    /// A view_type, stored_view_type or reaction_type, as its `kind` says.
    std::shared_ptr<const projection_type> projection;
    projection_options options;
    bool publish = false; ///< a view in memory that can be copied: see `host_published`
};

} // namespace annals
