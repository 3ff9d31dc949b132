// expect-success
#include "annals/event.hpp"

#include <string>

struct item_added {
    std::string sku;
    int quantity = 1;
    ANNALS_EVENT(item_added, "cart.item_added", sku, quantity)
};
static_assert(annals::event<item_added>);
