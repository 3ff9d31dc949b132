// expect: has no evolve. Write.*require_evolve<demand, item_added,|require_evolve<demand, item_added,.*has no evolve. Write
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
int answer(const demand&, const demand_for&);
int answer(const demand&, const stock_of&);

static_assert(annals::complete_domain<demand>::ok);
