// expect: (ignoring return value).*nodiscard
#include "annals/testing.hpp"

#include "cart.hpp"

cart::decision decide(const cart&, const add_item&);
cart::decision decide(const cart&, const remove_item&);
cart evolve(cart, const item_added&);
void evolve(cart&, const item_removed&);

void test() {
    annals::testing::given<cart>().when(add_item{}).then(annals::nothing);
}
