// expect: has no name. Put ANNALS_EVENT.*require_evolve<cart, item_removed,|require_evolve<cart, item_removed,.*has no name. Put ANNALS_EVENT
#include "annals/domain.hpp"

#include <string>
#include <variant>

struct add_item {
    std::string sku;
};
struct remove_item {
    std::string sku;
};

struct item_added {
    std::string sku;
    ANNALS_EVENT(item_added, "cart.item_added", sku)
};
struct item_removed {
    std::string sku;
};

struct cart {
    static constexpr std::string_view name = "cart";
    using command = std::variant<add_item, remove_item>;
    using event = std::variant<item_added, item_removed>;
    using decision = annals::decision<event>;
};

cart::decision decide(const cart&, const add_item&);
cart::decision decide(const cart&, const remove_item&);
cart evolve(cart, const item_added&);
void evolve(cart&, const item_removed&);

static_assert(annals::complete_domain<cart>::ok);
