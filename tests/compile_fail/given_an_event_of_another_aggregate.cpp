// expect: takes events of its aggregate.*order_placed|order_placed.*takes events of its aggregate
#include "annals/testing.hpp"

#include "cart.hpp"

cart::decision decide(const cart&, const add_item&);
cart::decision decide(const cart&, const remove_item&);
cart evolve(cart, const item_added&);
void evolve(cart&, const item_removed&);

struct order_placed {
    ANNALS_EVENT(order_placed, "order.placed")
};

const auto scenario = annals::testing::given<cart>(order_placed{});
