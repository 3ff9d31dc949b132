#include "shopping_cart/cart.hpp"

#include "annals/testing_catch2.hpp"

using annals::testing::given;
using annals::testing::rejected;
using namespace shop;

TEST_CASE("a cart gives back what it holds, and no more") {
    const auto cart_with_tea = given<cart>(item_added{"tea", 2, 199});

    ANNALS_CHECK(cart_with_tea.when(remove_item{"tea", 1}).then(item_removed{"tea", 1}));
    ANNALS_CHECK(cart_with_tea.when(remove_item{"tea", 3}).then(rejected("not in cart")));
}
