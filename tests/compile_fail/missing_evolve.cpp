// expect: has no evolve. Write.*require_evolve<cart, item_removed,|require_evolve<cart, item_removed,.*has no evolve. Write
#include "cart.hpp"

cart::decision decide(const cart&, const add_item&);
cart::decision decide(const cart&, const remove_item&);
cart evolve(cart, const item_added&);

static_assert(annals::complete_domain<cart>::ok);
