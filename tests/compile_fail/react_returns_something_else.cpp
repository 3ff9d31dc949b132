// expect: something else than void or annals::result<void>.*require_react<restock, item_added>|require_react<restock, item_added>.*something else than void or annals::result<void>
#include "annals/host_reaction.hpp"

#include <string>
#include <variant>

struct item_added {
    std::string sku;
    ANNALS_EVENT(item_added, "cart.item_added", sku)
};
struct restock {
    static constexpr std::string_view name = "restock";
    using event = std::variant<item_added>;
};
bool react(restock&, const item_added&);

const annals::hosted made = annals::host_reaction(restock{}, annals::reaction_start::now);
