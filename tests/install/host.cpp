#include <annals/event.hpp>

#include <iostream>
#include <string>

struct item_added {
    std::string sku;
    int quantity = 1;
    ANNALS_EVENT(item_added, "cart.item_added", sku, quantity)
};

int main() {
    static_assert(annals::event<item_added>);
    std::cout << item_added::annals_event_name << '\n';
}
