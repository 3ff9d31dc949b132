#pragma once

#include "annals/hosted.hpp"
#include "annals/stored_view.hpp"
#include "annals/type_shape.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <exception>
#include <string>
#include <utility>

namespace annals {

/// The sentence for an exception of the host's code. Call it inside a catch block.
[[nodiscard]] std::string describe_current_exception();

/// "cart-17" -> "17". Precondition: the stream's name begins with a category.
[[nodiscard]] std::string_view id_in_stream(std::string_view stream) noexcept;

namespace hosting {

/// Decodes `from` as the alternative of the variant that its type names and calls `use` with it.
/// False if no alternative has that name.
template <class... Es, class Use>
result<bool> decode_into(std::variant<Es...>*, const stored_event& from, Use&& use) {
    result<bool> done = false;
    auto attempt = [&]<class E>() {
        if (from.type != event_name<E>())
            return false;
        auto value = from_bytes<E>(from.payload);
        if (value) {
            use(*std::move(value));
            done = true;
        } else {
            done = error{errc::undecodable,
                         "event " + std::to_string(from.position) + " (" + std::string(from.type) +
                             ", version " + std::to_string(from.version) + " of " +
                             std::string(from.stream) + "): " + value.error().message +
                             "; make the type read what was stored",
                         from.position};
        }
        return true;
    };
    (attempt.template operator()<Es>() || ...);
    return done;
}

/// Nothing to decode: the event as it is, in the page's memory.
template <class Use>
result<bool> decode_into(any_event*, const stored_event& from, Use&& use) {
    use(any_event{from.type, from.category(), from.payload});
    return true;
}

template <class Variant, class Use>
result<bool> decode_alternative(const stored_event& from, Use&& use) {
    return decode_into(static_cast<Variant*>(nullptr), from, std::forward<Use>(use));
}

template <class Variant>
struct alternatives;
template <class... Ts>
struct alternatives<std::variant<Ts...>> {
    static std::span<const std::type_index> types() {
        static const std::array<std::type_index, sizeof...(Ts)> all{std::type_index(typeid(Ts))...};
        return all;
    }
    static event_filter filter() requires(event<Ts>&&...) {
        return {{std::string(event_name<Ts>())...}, {}};
    }
};

template <>
struct alternatives<any_event> {
    static event_filter filter() { return {}; }
};

template <aggregate A>
class typed_aggregate final : public aggregate_instance {
public:
    result<void> apply(const stored_event& happened) override {
        const event_context context{happened.stream, id_in_stream(happened.stream),
                                    happened.version, happened.time, happened.command_id};
        try {
            auto done = decode_alternative<typename A::event>(
                happened, [&](auto&& e) { annals::fold(state_, e, context); });
            if (!done)
                return done.error();
            if (!*done)
                return unknown(happened);
            return {};
        } catch (...) {
            return error{errc::handler_failed,
                         "evolve threw on event " + std::to_string(happened.position) + " (" +
                             std::string(happened.type) + "): " + describe_current_exception() +
                             "; evolve must not fail, correct it and send the command again",
                         happened.position};
        }
    }

    verdict decide(std::size_t index, const void* command, const command_context& context,
                   std::string_view stream, const encoded_events::limits& limits,
                   encoded_events& out) override {
        bool folding = false; // until then the state is not touched
        try {
            return decide_alternative(static_cast<typename A::command*>(nullptr), index, command,
                                      context, stream, limits, out, folding);
        } catch (const unreadable_value& e) {
            return failed(folding,
                          {errc::too_large,
                           std::string("an event of this command could not be read again: ") +
                               e.what() + "; nothing was stored"});
        } catch (...) {
            return failed(folding,
                          {errc::handler_failed,
                           "the handler of this command threw: " + describe_current_exception() +
                               "; nothing was stored. Correct the handler, then send the command "
                               "again"});
        }
    }

    [[nodiscard]] const A& state() const noexcept { return state_; }

private:
    static error unknown(const stored_event& happened) {
        return {errc::unknown_event,
                "stream " + std::string(happened.stream) + " holds an event \"" +
                    std::string(happened.type) + "\" that aggregate \"" + std::string(A::name) +
                    "\" does not list; add its type to the aggregate's event variant",
                happened.position};
    }

    static verdict failed(bool state_lost, error why) {
        verdict made;
        made.what = verdict::kind::failed;
        made.failure = std::move(why);
        made.state_lost = state_lost;
        return made;
    }

    template <class... Cs>
    verdict decide_alternative(std::variant<Cs...>*, std::size_t index, const void* command,
                               const command_context& context, std::string_view stream,
                               const encoded_events::limits& limits, encoded_events& out,
                               bool& folding) {
        verdict made;
        std::size_t i = 0;
        auto decide_if_it_is = [&]<class C>() {
            if (i++ == index)
                made = decide_one(*static_cast<const C*>(command), context, stream, limits, out,
                                  folding);
        };
        (decide_if_it_is.template operator()<Cs>(), ...);
        return made;
    }

    template <class C>
    verdict decide_one(const C& command, const command_context& context, std::string_view stream,
                       const encoded_events::limits& limits, encoded_events& out, bool& folding) {
        const auto decided = decide_on(std::as_const(state_), command, context);
        if (decided.is_rejected())
            return {verdict::kind::rejected, decided.rejection(), {}};
        if (decided.size() == 0)
            return {};
        for (const auto& one : decided)
            std::visit([&](const auto& happened) { out.add(happened); }, one);
        if (auto fit = out.check(limits); !fit)
            return failed(false, fit.error());
        folding = true;
        stream_version version = context.version;
        for (const auto& one : decided) {
            const event_context at{stream, context.id, ++version, context.about.time,
                                   context.about.command_id};
            std::visit([&](const auto& happened) { annals::fold(state_, happened, at); }, one);
        }
        return {verdict::kind::events, {}, {}};
    }

    A state_{};
};

template <aggregate A>
class typed_aggregate_type final : public aggregate_type {
public:
    static_assert(complete_domain<A>::ok);
    std::string_view name() const noexcept override { return A::name; }
    std::span<const std::type_index> commands() const noexcept override {
        return alternatives<typename A::command>::types();
    }
    std::unique_ptr<aggregate_instance> make() const override {
        return std::make_unique<typed_aggregate<A>>();
    }
};

/// Decoded events of one slice, for any projection whose events are Event: a variant, or `any_event`.
template <class Event>
struct typed_events final : decoded_events {
    struct one {
        log_position position;
        stream_version version;
        timestamp time;
        uuid command_id;
        std::string_view stream;  ///< in the page's memory
        bytes_view more_metadata; ///< likewise
        Event happened;
    };
    std::vector<one> events;
    std::shared_ptr<const void> memory;

    [[nodiscard]] event_label label(std::size_t index) const noexcept override {
        const one& at = events[index];
        return {at.position, at.stream, name_of(at.happened)};
    }
    [[nodiscard]] timestamp time(std::size_t index) const noexcept override {
        return events[index].time;
    }
    [[nodiscard]] log_mark mark(std::size_t index) const noexcept override {
        const one& at = events[index];
        return mark_of(at.position, at.version, at.time, at.command_id);
    }
    [[nodiscard]] logged_context context(std::size_t index) const {
        const one& at = events[index];
        logged_context made;
        made.stream = at.stream;
        made.id = id_in_stream(at.stream);
        made.version = at.version;
        made.time = at.time;
        made.command_id = at.command_id;
        made.position = at.position;
        made.more_metadata = at.more_metadata;
        return made;
    }

private:
    static std::string_view name_of(const any_event& happened) noexcept { return happened.type; }
    template <class... Es>
    static std::string_view name_of(const std::variant<Es...>& happened) noexcept {
        constexpr std::array<std::string_view, sizeof...(Es)> names{event_name<Es>()...};
        return happened.valueless_by_exception() ? std::string_view{} : names[happened.index()];
    }
};

/// Calls `use` with the event, whichever it is.
template <class... Es, class Use>
void with_event(const std::variant<Es...>& happened, Use&& use) {
    std::visit(std::forward<Use>(use), happened);
}
template <class Use>
void with_event(const any_event& happened, Use&& use) {
    use(happened);
}

/// The error for an exception of the host's code that handled the event `label`. Call it inside a
/// catch block. `bad_result` keeps its code.
[[nodiscard]] error failed_handler(std::string_view projection, const event_label& label);

/// As `projection_type::decode`.
template <class Event>
decoding decode_page(const event_page& page, std::size_t first,
                     std::span<const log_position> skip) {
    auto decoded = std::make_unique<typed_events<Event>>();
    decoded->events.reserve(page.events.size() - first);
    decoded->memory = page.memory;
    decoded->through = page.through;
    decoded->at_end = page.at_end;
    decoding made{nullptr, page.events.size(), {}};
    for (std::size_t i = first; i != page.events.size(); ++i) {
        const stored_event& from = page.events[i];
        if (!skip.empty() && std::binary_search(skip.begin(), skip.end(), from.position))
            continue;
        result<bool> done = false;
        try {
            done = decode_alternative<Event>(from, [&](auto&& e) {
                decoded->events.push_back({from.position, from.version, from.time, from.command_id,
                                           from.stream, from.more_metadata,
                                           std::forward<decltype(e)>(e)});
            });
        } catch (...) { // the host's codec
            done = failed_handler("decoding", {from.position, from.stream, from.type});
        }
        if (!done) {
            decoded->through = from.position - 1;
            decoded->at_end = false;
            if (i != first)
                decoded->marked = mark_of(page.events[i - 1]);
            made.next = i;
            made.status = done.error();
            break;
        }
    }
    if (made.status && made.next != first)
        decoded->marked = mark_of(page.events.back());
    decoded->count = decoded->events.size();
    made.decoded = std::move(decoded);
    return made;
}

/// Folds into `state`, as `view_instance::fold`; `began(i)` runs before each event.
template <class State, class Event, class Began>
folding fold_events(State& state, std::string_view name, const typed_events<Event>& events,
                    std::size_t first, std::size_t end, Began&& began) {
    std::size_t i = first;
    try {
        for (; i < end; ++i) {
            began(i);
            const logged_context context = events.context(i);
            with_event(events.events[i].happened,
                       [&](const auto& e) { annals::fold(state, e, context); });
        }
        return {end, {}};
    } catch (...) {
        return {i, failed_handler(name, events.label(i))};
    }
}

/// The events that projection T wants, by name and category.
template <class T>
event_filter filter_of() {
    event_filter wanted = alternatives<typename T::event>::filter();
    if constexpr (requires { T::categories; })
        for (std::string_view category : T::categories)
            wanted.categories.emplace_back(category);
    return wanted;
}

/// As `projection_type::meaning`: the events that it lists, and what it keeps.
template <class T>
std::string meaning_of(std::string kept) {
    event_filter wanted = filter_of<T>();
    std::string text;
    for (auto* list : {&wanted.types, &wanted.categories}) {
        std::sort(list->begin(), list->end());
        for (const std::string& each : *list)
            text.append(each).append(1, ' ');
        text += ';';
    }
    return text + kept;
}

template <class T>
constexpr std::uint32_t version_of() noexcept {
    if constexpr (requires { T::version; })
        return T::version;
    else
        return 1;
}

/// A view in memory that can be written and read back.
template <class V>
concept savable = described<V> && !names_stored_maps<V>;

template <view V>
class typed_view final : public view_instance {
public:
    typed_view() = default;
    explicit typed_view(const V& state) requires std::copy_constructible<V> : state_(state) {}

    folding fold(const decoded_events& events, std::size_t first, std::size_t end) override {
        return fold_events(state_, V::name,
                           static_cast<const typed_events<typename V::event>&>(events), first, end,
                           [](std::size_t) {});
    }
    const void* state() const noexcept override { return &state_; }
    std::unique_ptr<view_instance> clone() const override {
        if constexpr (std::copy_constructible<V>)
            return std::make_unique<typed_view<V>>(state_);
        else
            return nullptr;
    }
    void save(bytes& into) const override {
        if constexpr (savable<V>) {
            encoder to(into);
            encode(to, state_);
        }
    }
    result<void> load(bytes_view saved) override {
        if constexpr (savable<V>) {
            try {
                auto value = from_bytes<V>(saved);
                if (!value)
                    return value.error();
                state_ = *std::move(value);
                return {};
            } catch (...) {
                return error{errc::handler_failed,
                             "reading it threw: " + describe_current_exception()};
            }
        } else {
            return error{errc::undecodable, "this view names no fields"};
        }
    }

private:
    V state_{};
};

template <view V>
class typed_view_type final : public view_type {
public:
    static_assert(complete_domain<V>::ok);
    projection_kind kind() const noexcept override { return projection_kind::view; }
    std::string_view name() const noexcept override { return V::name; }
    std::uint32_t version() const noexcept override { return version_of<V>(); }
    std::string meaning() const override {
        type_shape kept;
        if constexpr (savable<V>)
            kept.add<V>();
        return meaning_of<V>(kept.take());
    }
    std::span<const std::type_index> queries() const noexcept override {
        return alternatives<typename V::query>::types();
    }
    std::type_index type() const noexcept override { return typeid(V); }
    event_filter filter() const override { return filter_of<V>(); }
    decoding decode(const event_page& page, std::size_t first,
                    std::span<const log_position> skip) const override {
        return decode_page<typename V::event>(page, first, skip);
    }
    std::unique_ptr<view_instance> make() const override {
        return std::make_unique<typed_view<V>>();
    }
    bool can_save() const noexcept override { return savable<V>; }
    bool can_copy() const noexcept override { return std::copy_constructible<V>; }
};

/// The type behind `host<T>`, for ever.
template <class Type, class Base>
std::shared_ptr<const Base> only_one() {
    static const Type type;
    return std::shared_ptr<const Base>(std::shared_ptr<void>(), &type);
}

} // namespace hosting

} // namespace annals
