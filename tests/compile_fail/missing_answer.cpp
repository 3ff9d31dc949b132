// expect: has no answer. Write.*require_answer<demand, stock_of>|require_answer<demand, stock_of>.*has no answer. Write
#include "annals/domain.hpp"

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

static_assert(annals::complete_domain<demand>::ok);
