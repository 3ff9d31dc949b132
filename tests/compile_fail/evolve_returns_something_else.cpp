// expect: does not return the new state.*require_evolve<cart, item_removed,|require_evolve<cart, item_removed,.*does not return the new state
#include "cart.hpp"

cart::decision decide(const cart&, const add_item&);
cart::decision decide(const cart&, const remove_item&);
cart evolve(cart, const item_added&);
bool evolve(cart&, const item_removed&);

static_assert(annals::complete_domain<cart>::ok);
