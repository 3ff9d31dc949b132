#include "demand.hpp"
#include "more_projections.hpp"

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

annals::runtime open_shop(const std::filesystem::path& directory, restock supplier) {
    return annals::runtime::open(directory, annals::host<cart>,
                                 annals::host_published<demand>, // read without a message
                                 annals::host<demand_on_disk>,   // exactly once, larger than memory
                                 annals::host_reaction(supplier, annals::reaction_start::now))
        .value();
}

} // namespace

TEST_CASE("what the README shows of projections answers, and orders once") {
    const annals::test::temporary_directory directory;
    std::vector<std::string> ordered;
    auto rt =
        open_shop(directory.path() / "shop.db",
                  {[&](const std::string& sku, int, annals::uuid) { ordered.push_back(sku); }});
    (void)rt.send("17", add_item{"tea", 2, 199}).get().value();
    (void)rt.send("17", add_item{"salt", 150, 99}, {.wait_for = {"demand_on_disk", "restock"}})
        .get()
        .value();
    CHECK(rt.ask(most_wanted{1}).get().value() == std::vector<std::string>{"salt"});
    CHECK(ordered == std::vector<std::string>{"salt"});
}

TEST_CASE("what the README shows sells tea, and remembers it") {
    const annals::test::temporary_directory directory;
    CHECK(sell_tea(directory.path() / "shop.db") == 2);
    CHECK(sell_tea(directory.path() / "shop.db") == 4);
}
