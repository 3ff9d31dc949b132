#pragma once

#include "annals/hosted.hpp"

#include <array>
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
                   std::string_view stream, encoded_events& out) override {
        try {
            return decide_alternative(static_cast<typename A::command*>(nullptr), index, command,
                                      context, stream, out);
        } catch (const unreadable_value& e) {
            return {verdict::kind::failed,
                    {},
                    error{errc::too_large,
                          std::string("an event of this command could not be read again: ") +
                              e.what() + "; nothing was stored"}};
        } catch (...) {
            return {verdict::kind::failed,
                    {},
                    error{errc::handler_failed,
                          "the handler of this command threw: " + describe_current_exception() +
                              "; nothing was stored. Correct the handler, then send the command "
                              "again"}};
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

    template <class... Cs>
    verdict decide_alternative(std::variant<Cs...>*, std::size_t index, const void* command,
                               const command_context& context, std::string_view stream,
                               encoded_events& out) {
        verdict made;
        std::size_t i = 0;
        auto decide_if_it_is = [&]<class C>() {
            if (i++ == index)
                made = decide_one(*static_cast<const C*>(command), context, stream, out);
        };
        (decide_if_it_is.template operator()<Cs>(), ...);
        return made;
    }

    template <class C>
    verdict decide_one(const C& command, const command_context& context, std::string_view stream,
                       encoded_events& out) {
        const auto decided = decide_on(std::as_const(state_), command, context);
        if (decided.is_rejected())
            return {verdict::kind::rejected, decided.rejection(), {}};
        if (decided.size() == 0)
            return {};
        stream_version version = context.version;
        for (const auto& one : decided) {
            const event_context at{stream, context.id, ++version, context.about.time,
                                   context.about.command_id};
            std::visit(
                [&](const auto& happened) {
                    out.add(happened);
                    annals::fold(state_, happened, at);
                },
                one);
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

template <view V>
struct typed_events final : decoded_events {
    struct one {
        log_position position;
        stream_version version;
        timestamp time;
        uuid command_id;
        std::string_view stream; ///< in the page's memory
        typename V::event happened;
    };
    std::vector<one> events;
    std::shared_ptr<const void> memory;
};

template <view V>
class typed_view final : public view_instance {
public:
    result<void> fold(const decoded_events& events) override {
        log_position at = 0;
        try {
            for (const auto& one : static_cast<const typed_events<V>&>(events).events) {
                at = one.position;
                logged_context context;
                context.stream = one.stream;
                context.id = id_in_stream(one.stream);
                context.version = one.version;
                context.time = one.time;
                context.command_id = one.command_id;
                context.position = one.position;
                std::visit([&](const auto& e) { annals::fold(state_, e, context); }, one.happened);
            }
            return {};
        } catch (...) {
            return error{errc::handler_failed,
                         "view \"" + std::string(V::name) + "\" threw on event " +
                             std::to_string(at) + ": " + describe_current_exception(),
                         at};
        }
    }
    const void* state() const noexcept override { return &state_; }

private:
    V state_{};
};

template <view V>
class typed_view_type final : public view_type {
public:
    static_assert(complete_domain<V>::ok);
    std::string_view name() const noexcept override { return V::name; }
    std::span<const std::type_index> queries() const noexcept override {
        return alternatives<typename V::query>::types();
    }
    std::type_index type() const noexcept override { return typeid(V); }
    event_filter filter() const override {
        event_filter wanted = alternatives<typename V::event>::filter();
        if constexpr (requires { V::categories; })
            for (std::string_view category : V::categories)
                wanted.categories.emplace_back(category);
        return wanted;
    }
    std::unique_ptr<view_instance> make() const override {
        return std::make_unique<typed_view<V>>();
    }
    decoding decode(const event_page& page) const override {
        auto decoded = std::make_unique<typed_events<V>>();
        decoded->events.reserve(page.events.size());
        decoded->memory = page.memory;
        decoded->through = page.through;
        result<void> status;
        for (const auto& from : page.events) {
            auto done = decode_alternative<typename V::event>(from, [&](auto&& e) {
                decoded->events.push_back({from.position, from.version, from.time, from.command_id,
                                           from.stream, std::forward<decltype(e)>(e)});
            });
            if (!done) {
                decoded->through = from.position - 1;
                status = done.error();
                break;
            }
        }
        decoded->count = decoded->events.size();
        return {std::move(decoded), std::move(status)};
    }
};

template <class T>
hosted make_hosted() {
    if constexpr (!complete_domain<T>::ok) {
        return {}; // does not compile; complete_domain has said what is missing
    } else if constexpr (aggregate<T>) {
        static const typed_aggregate_type<T> type;
        return {&type, nullptr};
    } else {
        static const typed_view_type<T> type;
        return {nullptr, &type};
    }
}

} // namespace hosting

/// Tells `runtime::open` to host aggregate or view T: `runtime::open("shop.db", host<cart>)`.
template <class T>
struct host_t {
    operator hosted() const { return hosting::make_hosted<T>(); }
};
template <class T>
inline constexpr host_t<T> host{};

} // namespace annals
