// expect: cannot write this type.*codec<money>|codec(_for)?<money>.*cannot write this type|T = money.*cannot write this type
#include "annals/host.hpp"

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
struct money {
    int cents = 0;
};
struct item_removed {
    std::string sku;
    money price;
    ANNALS_EVENT(item_removed, "cart.item_removed", sku, price)
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

const annals::hosted made = annals::host<cart>;
