// expect-success
#include "annals/host_stored.hpp"

#include <string>
#include <utility>
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
    annals::stored_map<std::pair<std::string, int>, int> by_day;
    ANNALS_FIELDS(sales, by_product, by_day)
};
void evolve(sales&, const sold&);
int answer(const sales& of, const units_of&) {
    return of.by_product.value_or("tea", 0) + of.by_day.value_or({"tea", 1}, 0);
}

static_assert(annals::require_stored_view<sales>::ok);
std::unique_ptr<annals::stored_view_type::bound> bound(annals::table_rows& rows) {
    return annals::hosting::typed_stored_view_type<sales>().bind(rows);
}
