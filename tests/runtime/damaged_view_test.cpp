#include "support/runtime_verbs.hpp"

#include "annals/stored_map.hpp"

#include <catch2/catch.hpp>

#include <fstream>

/// A stored view whose rows were damaged while the store was closed.

using namespace annals;
using namespace annals::test;
using mode = projection_status::state;

namespace {

struct shelf;
struct on_shelf {
    using view = shelf;
    std::string sku;
};
struct shelf {
    static constexpr std::string_view name = "shelf";
    using event = std::variant<shop::item_added>;
    using query = std::variant<on_shelf>;
    stored_map<std::string, std::string> items;
    ANNALS_FIELDS(shelf, items)
};
void evolve(shelf& to, const shop::item_added& happened) {
    to.items.put(happened.sku, "there is " + happened.sku);
}
std::string answer(const shelf& of, const on_shelf& query) {
    return of.items.value_or(query.sku, "nothing");
}

/// Replaces every occurrence of `text` in the closed file by `other`, which has the same length.
void replace_in(const std::filesystem::path& path, const std::string& text,
                const std::string& other) {
    std::ifstream in(path, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(in), {}};
    int found = 0;
    for (auto at = content.find(text); at != std::string::npos; at = content.find(text, at + 1)) {
        content.replace(at, text.size(), other);
        ++found;
    }
    REQUIRE(found > 0);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

} // namespace

TEST_CASE(
    "a stored view with a damaged row that nobody asks for is found out, says what to do, and is "
    "well after a rebuild") {
    const event_store store;
    const auto open = [&] {
        return runtime::open(store.settings(), host<shop::cart>, host<shelf>, host<shop::demand>)
            .value();
    };
    {
        auto rt = open();
        for (const auto* sku : {"tea", "rum", "gin"})
            REQUIRE(said(rt.send("1", shop::add_item{sku})) == "stored");
        REQUIRE(rt.projection("shelf").reaches(3).get());
    }
    replace_in(store.path() / "views.mdb", "there is rum", "there is tea");
    auto rt = open();
    REQUIRE(eventually(rt, [&] { return status_of(rt, "shelf").now == mode::failed; }));
    REQUIRE(status_of(rt, "shelf").last_error.find("rebuild") != std::string::npos);
    REQUIRE(rt.ask(on_shelf{"tea"}).get().is_error());
    REQUIRE(said(rt.ask(shop::demand_for{"tea"}, latest())) == "1"); // the others go on
    REQUIRE(said(rt.send("1", shop::add_item{"ale"})) == "stored");

    REQUIRE(rt.projection("shelf").rebuild().get());
    REQUIRE(rt.projection("shelf").reaches(4).get());
    for (const auto* sku : {"tea", "rum", "gin", "ale"})
        REQUIRE(rt.ask(on_shelf{sku}, latest()).get().value() == "there is " + std::string(sku));
    REQUIRE(eventually(rt, [&] { return status_of(rt, "shelf").now == mode::live; }));
}
