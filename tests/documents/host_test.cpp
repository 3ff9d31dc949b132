#include "demand.hpp"

#include "annals/annals.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

using namespace shop;

namespace {

int sell_tea(const std::filesystem::path& directory) {
    auto rt = annals::runtime::open(directory, annals::host<cart>, annals::host<demand>).value();
    const annals::receipt r = rt.send("17", add_item{"tea", 2, 199}).get().value(); // durable
    return rt.ask(demand_for{"tea"}, annals::after(r)).get().value(); // reads its own write
}

} // namespace

TEST_CASE("what the README shows sells tea, and remembers it") {
    const annals::test::temporary_directory directory;
    CHECK(sell_tea(directory.path() / "shop.db") == 2);
    CHECK(sell_tea(directory.path() / "shop.db") == 4);
}
