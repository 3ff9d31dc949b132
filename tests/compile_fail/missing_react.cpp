// expect: has no react. Write.*require_react<restock, item_added>|require_react<restock, item_added>.*has no react. Write
#include "annals/host_reaction.hpp"

#include <string>
#include <variant>

struct item_added {
    std::string sku;
    ANNALS_EVENT(item_added, "cart.item_added", sku)
};
struct item_removed {
    std::string sku;
    ANNALS_EVENT(item_removed, "cart.item_removed", sku)
};
struct restock {
    static constexpr std::string_view name = "restock";
    using event = std::variant<item_added, item_removed>;
};
void react(restock&, const item_removed&, const annals::delivery&);

const annals::hosted made = annals::host_reaction(restock{}, annals::reaction_start::now);
