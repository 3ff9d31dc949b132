// expect: has no name. Add inside the struct.*require_name<cart>|require_name<cart>.*has no name. Add inside the struct
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
    ANNALS_EVENT(item_removed, "cart.item_removed", sku)
};

struct cart {
    using command = std::variant<add_item, remove_item>;
    using event = std::variant<item_added, item_removed>;
    using decision = annals::decision<event>;
};

cart::decision decide(const cart&, const add_item&);
cart::decision decide(const cart&, const remove_item&);
cart evolve(cart, const item_added&);
void evolve(cart&, const item_removed&);

static_assert(annals::complete_domain<cart>::ok);
