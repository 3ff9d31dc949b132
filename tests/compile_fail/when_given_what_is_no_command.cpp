// expect: when\(\) takes a command of the aggregate.*item_added|item_added.*when\(\) takes a command of the aggregate
#include "annals/testing.hpp"

#include "cart.hpp"

cart::decision decide(const cart&, const add_item&);
cart::decision decide(const cart&, const remove_item&);
cart evolve(cart, const item_added&);
void evolve(cart&, const item_removed&);

const auto scenario = annals::testing::given<cart>().when(item_added{});
