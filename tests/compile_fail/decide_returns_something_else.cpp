// expect: returns something else than a decision.*require_decide<cart, remove_item>|require_decide<cart, remove_item>.*returns something else than a decision
#include "cart.hpp"

cart::decision decide(const cart&, const add_item&);
bool decide(const cart&, const remove_item&);
cart evolve(cart, const item_added&);
void evolve(cart&, const item_removed&);

static_assert(annals::complete_domain<cart>::ok);
