// expect: has no decide. Write.*require_decide<cart, remove_item>|require_decide<cart, remove_item>.*has no decide. Write
#include "cart.hpp"

cart::decision decide(const cart&, const add_item&);
cart evolve(cart, const item_added&);
void evolve(cart&, const item_removed&);

static_assert(annals::complete_domain<cart>::ok);
