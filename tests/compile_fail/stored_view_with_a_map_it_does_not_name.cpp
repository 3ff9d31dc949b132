// expect: has a member that its ANNALS_FIELDS does not name.*require_stored_view<sales>|require_stored_view<sales>.*has a member that its ANNALS_FIELDS does not name
// rooms: persistence actors
#include "annals/host_stored.hpp"

#include <string>
#include <variant>

struct sold {
    std::string sku;
    ANNALS_EVENT(sold, "shop.sold", sku)
};
struct units_of {};
struct sales {
    static constexpr std::string_view name = "sales";
    using event = std::variant<sold>;
    using query = std::variant<units_of>;
    annals::stored_map<std::string, int> by_product;
    annals::stored_map<int, int> by_day;
    ANNALS_FIELDS(sales, by_product)
};
void evolve(sales&, const sold&);
int answer(const sales&, const units_of&);

static_assert(annals::require_stored_view<sales>::ok);
