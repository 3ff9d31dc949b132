// expect: stored maps and other members beside them.*require_stored_view<sales>|require_stored_view<sales>.*stored maps and other members beside them
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
    int in_all = 0;
    ANNALS_FIELDS(sales, by_product, in_all)
};
void evolve(sales&, const sold&);
int answer(const sales&, const units_of&);

static_assert(annals::require_stored_view<sales>::ok);
