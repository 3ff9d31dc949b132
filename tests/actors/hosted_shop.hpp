#pragma once

#include "annals/host.hpp"
#include "annals/request.hpp"
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <typeindex>
#include <variant>
#include <vector>

/// A host's aggregate and views, and stored events as a journal gives them to those.
namespace hosted_shop {

using annals::command_context;
using annals::encoded_events;
using annals::errc;
using annals::event_context;
using annals::event_page;
using annals::log_position;
using annals::logged_context;
using annals::metadata;
using annals::stored_event;
using annals::stream_version;
using annals::timestamp;
using annals::uuid;
using annals::verdict;

// --- the host's code ------------------------------------------------------------------------------

struct item_added {
    std::string sku;
    int quantity = 1;
    ANNALS_EVENT(item_added, "cart.item_added", sku, quantity)
};
struct emptied {
    ANNALS_EVENT(emptied, "cart.emptied")
};

struct add_item {
    std::string sku;
    int quantity = 1;
};
struct empty {};

struct cart {
    static constexpr std::string_view name = "cart";
    using command = std::variant<add_item, empty>;
    using event = std::variant<item_added, emptied>;
    using decision = annals::decision<event>;

    int units = 0;
    std::vector<event_context> seen;
};

inline cart::decision decide(const cart& state, const add_item& c) {
    if (c.sku == "std::exception")
        throw std::runtime_error("the shelf fell over");
    if (c.sku == "int")
        throw 42;
    if (c.quantity == 0)
        return annals::nothing;
    if (c.quantity < 0)
        return annals::reject("negative", "add at least one");
    return item_added{c.sku, c.quantity + state.units * 100};
}
inline cart::decision decide(const cart&, const empty&, const command_context& context) {
    return {emptied{}, item_added{std::string(context.id), static_cast<int>(context.version)}};
}
inline void evolve(cart& state, const item_added& e, const event_context& context) {
    if (e.sku == "bomb")
        throw std::runtime_error("boom");
    state.units += e.quantity;
    state.seen.push_back(context);
}
inline void evolve(cart& state, const emptied&, const event_context& context) {
    state.units = 0;
    state.seen.push_back(context);
}

struct units_of {};
struct list {};

struct stock {
    static constexpr std::string_view name = "stock";
    static constexpr std::array categories{std::string_view("cart"), std::string_view("order")};
    using event = std::variant<item_added, emptied>;
    using query = std::variant<units_of, list>;

    int units = 0;
    std::vector<std::string> seen; ///< "stream@version:position"
};
inline void evolve(stock& view, const item_added& e, const logged_context& context) {
    if (e.sku == "bomb")
        throw std::runtime_error("boom");
    view.units += e.quantity;
    view.seen.push_back(std::string(context.stream) + "/" + std::string(context.id) + "@" +
                        std::to_string(context.version) + ":" + std::to_string(context.position));
}
inline void evolve(stock&, const emptied&) {}
inline int answer(const stock& view, const units_of&) {
    return view.units;
}
inline annals::outcome<std::vector<std::string>> answer(const stock& view, const list&) {
    if (view.units > 1000)
        throw std::runtime_error("that is a lot of tea");
    if (view.seen.empty())
        return annals::reject("sold out");
    return view.seen;
}

/// Without categories it wants the events of all streams.
struct everything {
    static constexpr std::string_view name = "everything";
    using event = std::variant<emptied>;
    using query = std::variant<units_of>;
};
inline void evolve(everything&, const emptied&) {}
inline int answer(const everything&, const units_of&) {
    return 0;
}

// --- stored events, as a journal gives them -------------------------------------------------------

inline const timestamp noon = timestamp(std::chrono::hours(12));

/// A page in the making; it owns what its events point to.
class log_of {
public:
    template <annals::event E>
    log_of& add(std::string stream, stream_version version, const E& happened) {
        return add(std::move(stream), version, std::string(annals::event_name<E>()),
                   annals::to_bytes(happened));
    }
    log_of& add(std::string stream, stream_version version, std::string type,
                annals::bytes payload) {
        const auto& held =
            held_->emplace_back(memory{std::move(stream), std::move(type), std::move(payload)});
        stored_event stored;
        stored.position = page_.events.size() * 10 + 10;
        stored.version = version;
        stored.stream = held.stream;
        stored.type = held.type;
        stored.payload = held.payload;
        stored.time = noon;
        stored.command_id = uuid::of_name(std::to_string(stored.position));
        page_.events.push_back(stored);
        page_.through = stored.position + 5;
        return *this;
    }
    [[nodiscard]] event_page page() const {
        event_page page = page_;
        page.memory = held_;
        return page;
    }
    [[nodiscard]] const stored_event& first() const { return page_.events.front(); }

private:
    struct memory {
        std::string stream;
        std::string type;
        annals::bytes payload;
    };
    // Never moves what it holds; shared by copies.
    std::shared_ptr<std::deque<memory>> held_ = std::make_shared<std::deque<memory>>();
    event_page page_;
};

inline annals::bytes text_instead_of_a_struct() {
    return annals::to_bytes(std::string("not a map"));
}

inline annals::hosting::typed_aggregate<cart> fresh_cart() {
    return {};
}

struct deciding {
    verdict came;
    encoded_events events;
};

template <class Command>
deciding decide_in(annals::aggregate_instance& instance, std::size_t index, const Command& command,
                   stream_version version = 0, const encoded_events::limits& limits = {}) {
    metadata about;
    about.time = noon;
    about.command_id = uuid::of_name("the command");
    deciding made;
    made.came =
        instance.decide(index, &command, {"17", version, about}, "cart-17", limits, made.events);
    return made;
}

inline std::vector<std::string> types_of(const encoded_events& events) {
    std::vector<std::string> types;
    for (const auto& one : events.entries())
        types.emplace_back(one.type);
    return types;
}

} // namespace hosted_shop
