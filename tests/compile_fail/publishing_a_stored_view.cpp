// expect: a stored view publishes no versions
#include "annals/host.hpp"
#include "annals/stored_map.hpp"

#include <string>
#include <variant>

struct item_added {
    std::string sku;
    ANNALS_EVENT(item_added, "cart.item_added", sku)
};
struct demand_for {};
struct demand {
    static constexpr std::string_view name = "demand";
    using event = std::variant<item_added>;
    using query = std::variant<demand_for>;
    annals::stored_map<std::string, int> units;
    ANNALS_FIELDS(demand, units)
};
void evolve(demand&, const item_added&);
int answer(const demand&, const demand_for&);

const annals::hosted made = annals::host_published<demand>({});
