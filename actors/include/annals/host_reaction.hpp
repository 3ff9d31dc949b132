#pragma once

#include "annals/hosting.hpp"
#include "annals/reaction.hpp"

#include <concepts>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace annals {

namespace hosting {

template <class R, class E>
concept reacts_to_delivery = requires(R& with, const E& happened, const delivery& about) {
    { react(with, happened, about) } -> reaction_outcome;
};

/// Calls the `react` that the host wrote; the one that takes the delivery, if there are both.
template <class R, class E>
decltype(auto) call_react(R& with, const E& happened, const delivery& about) {
    if constexpr (reacts_to_delivery<R, E>)
        return react(with, happened, about);
    else
        return react(with, happened);
}
template <class R, class E>
using react_outcome =
    decltype(call_react(std::declval<R&>(), std::declval<const E&>(), std::declval<delivery>()));

template <class R, class Events>
struct any_react_is_pending;
template <class R, class... Es>
struct any_react_is_pending<R, std::variant<Es...>> {
    static constexpr bool value = (pending_reaction<react_outcome<R, Es>> || ...);
};
template <class R>
struct any_react_is_pending<R, any_event> {
    static constexpr bool value = pending_reaction<react_outcome<R, any_event>>;
};

/// What an answer says of the event: an error is its failure, a rejection is not.
template <class T>
result<void> end_of(const outcome<T>& answer, std::string_view, const event_label&) {
    if (answer.is_error())
        return answer.error();
    return {};
}
inline result<void> end_of(const outcome<reaction_task::end>& answer, std::string_view reaction,
                           const event_label& label) {
    if (*answer == nullptr)
        return {};
    try {
        std::rethrow_exception(*answer);
    } catch (...) {
        return failed_handler(reaction, label);
    }
}

/// Waits for the answer without a thread. `about` lasts until it is there.
template <class T>
handled when_answered(const future<T>& coming, std::shared_ptr<const delivery> about,
                      std::string_view reaction, const event_label& label) {
    if (coming.is_ready())
        return end_of(coming.get(), reaction, label);
    return handled::later([coming, about = std::move(about), reaction, label](handled::told then) {
        coming.then([about, reaction, label, then = std::move(then)](const outcome<T>& answer) {
            then(end_of(answer, reaction, label));
        });
    });
}

/// The host's object for one partition.
template <reaction R>
class typed_handler final : public reaction_type::handler {
public:
    explicit typed_handler(R with) : with_(std::move(with)) {}

    handled react(const decoded_events& events, std::size_t index,
                  const delivery_terms& terms) override {
        try {
            const auto& typed = static_cast<const typed_events<typename R::event>&>(events);
            handled done{result<void>()};
            with_event(typed.events[index].happened, [&](const auto& happened) {
                done = react_to(happened, typed, index, terms);
            });
            return done;
        } catch (...) {
            return result<void>(failed_handler(R::name, events.label(index)));
        }
    }

private:
    template <class E>
    handled react_to(const E& happened, const typed_events<typename R::event>& events,
                     std::size_t index, const delivery_terms& terms) {
        using came = react_outcome<R, E>;
        constexpr bool asks = reacts_to_delivery<R, E>;
        if constexpr (pending_reaction<came>) {
            const auto about = std::make_shared<const delivery>(
                asks ? describe(events, index, terms) : delivery());
            auto coming = call_react(with_, happened, *about);
            if constexpr (std::same_as<came, reaction_task>)
                return when_answered(coming.ended(), about, R::name, events.label(index));
            else
                return when_answered(coming, about, R::name, events.label(index));
        } else {
            const delivery about = asks ? describe(events, index, terms) : delivery();
            if constexpr (std::same_as<came, void>) {
                call_react(with_, happened, about);
                return result<void>();
            } else {
                return call_react(with_, happened, about);
            }
        }
    }

    static delivery describe(const typed_events<typename R::event>& events, std::size_t index,
                             const delivery_terms& terms) {
        const logged_context context = events.context(index);
        stored_event identity;
        identity.stream = context.stream;
        identity.version = context.version;
        identity.command_id = context.command_id;
        return {context,
                identity.event_id(),
                terms.redelivered,
                terms.attempt,
                terms.stop,
                terms.sender ? std::make_shared<delivery_commands>(terms.sender, R::name)
                             : nullptr};
    }

    R with_;
};

/// Holds the host's object until it is handed to the sink: a copy for each partition, or, if it
/// cannot be copied, itself, once.
template <reaction R>
class typed_reaction_type final : public reaction_type {
public:
    static_assert(complete_domain<R>::ok);

    typed_reaction_type(R with, reaction_start from)
        : prototype_(std::make_unique<R>(std::move(with))),
          start_(from) {}

    projection_kind kind() const noexcept override { return projection_kind::reaction; }
    std::string_view name() const noexcept override { return R::name; }
    /// A reaction has no state to build anew, so it has no versions.
    std::uint32_t version() const noexcept override { return 1; }
    std::string meaning() const override { return meaning_of<R>({}); }
    event_filter filter() const override { return filter_of<R>(); }
    decoding decode(const event_page& page, std::size_t first,
                    std::span<const log_position> skip) const override {
        return decode_page<typename R::event>(page, first, skip);
    }
    std::type_index type() const noexcept override { return typeid(R); }
    std::span<const std::type_index> queries() const noexcept override { return {}; }
    reaction_start start() const noexcept override { return start_; }
    bool ends_later() const noexcept override {
        return any_react_is_pending<R, typename R::event>::value;
    }

    result<std::vector<std::unique_ptr<handler>>> handlers(std::size_t partitions) const override {
        const std::lock_guard lock(mutex_);
        std::vector<std::unique_ptr<handler>> made;
        if constexpr (std::copy_constructible<R>) {
            try {
                while (made.size() != partitions)
                    made.push_back(std::make_unique<typed_handler<R>>(*prototype_));
            } catch (...) {
                return refusal(errc::handler_failed,
                               "threw while it was copied: " + describe_current_exception());
            }
        } else {
            if (partitions > 1)
                return refusal(errc::invalid_argument,
                               "cannot be copied, so it has one partition only: set "
                               "projection_options::partitions to 1, or make its type copyable");
            if (!prototype_)
                return refusal(errc::invalid_argument,
                               "cannot be copied and is hosted already: call host_reaction again "
                               "with a new object for each runtime");
            made.push_back(std::make_unique<typed_handler<R>>(std::move(*prototype_)));
            prototype_.reset();
        }
        return made;
    }

private:
    static error refusal(errc code, const std::string& why) {
        return {code, "reaction \"" + std::string(R::name) + "\" " + why};
    }

    mutable std::mutex mutex_;
    /// Null once it has been moved to its handler.
    mutable std::unique_ptr<R> prototype_;
    const reaction_start start_;
};

} // namespace hosting

/// Tells `runtime::open` to host a reaction (annals/reaction.hpp). It keeps `with` until then; the
/// opening copies it for each of `options.partitions`, or moves it if its type cannot be copied: the
/// returned value then opens one runtime only. Each object is used by one thread at a time, its own,
/// and is destroyed, on any thread, when the runtime has closed and what it returned is answered.
/// `from` counts only where the store has never seen the reaction's name.
template <reaction R>
[[nodiscard]] hosted host_reaction(R with, reaction_start from, projection_options options = {}) {
    if constexpr (complete_domain<R>::ok)
        return {nullptr,
                std::make_shared<const hosting::typed_reaction_type<R>>(std::move(with), from),
                std::move(options)};
    else
        return {}; // does not compile; complete_domain has said what is missing
}

} // namespace annals
