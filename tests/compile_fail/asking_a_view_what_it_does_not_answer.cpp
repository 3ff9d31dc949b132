// expect: answers?(_of)?[^a-z_].*V = demand[,;] Q = stock_of
#include "annals/runtime.hpp"

#include <string>
#include <variant>

struct demand_for {
    using view = struct demand;
};
struct stock_of {};
struct item_added {
    std::string sku;
    ANNALS_EVENT(item_added, "cart.item_added", sku)
};
struct demand {
    static constexpr std::string_view name = "demand";
    using event = std::variant<item_added>;
    using query = std::variant<demand_for, stock_of>;
};
void evolve(demand&, const item_added&, const annals::logged_context&);
int answer(const demand&, const demand_for&);

auto ask(annals::runtime& rt) {
    return rt.ask<demand>(stock_of{});
}
