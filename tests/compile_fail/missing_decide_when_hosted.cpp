// expect: has no decide.*require_decide<cart, remove_item>|require_decide<cart, remove_item>.*has no decide
#include "annals/host.hpp"

#include "cart.hpp"

cart::decision decide(const cart&, const add_item&);
cart evolve(cart, const item_added&);
void evolve(cart&, const item_removed&);

const annals::hosted made = annals::host<cart>;
