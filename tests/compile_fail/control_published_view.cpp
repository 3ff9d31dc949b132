// expect-success
#include "annals/runtime.hpp"

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
};
void evolve(demand&, const item_added&);
int answer(const demand&, const demand_for&);

const annals::hosted made = annals::host_published<demand>({.own_thread = true});
auto read(const annals::runtime& rt) {
    return rt.reader<demand>();
}
