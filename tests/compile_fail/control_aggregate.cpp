// expect-success
#include "annals/host.hpp"

#include "cart.hpp"

cart::decision decide(const cart&, const add_item&);
cart::decision decide(const cart&, const remove_item&);
cart evolve(cart, const item_added&);
void evolve(cart&, const item_removed&);

static_assert(annals::complete_domain<cart>::ok);
const annals::hosted made = annals::host<cart>;
