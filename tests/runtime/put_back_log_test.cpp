#include "support/runtime_verbs.hpp"

#include "annals/stored_map.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <mutex>
#include <vector>

/// A log that is put back from an older copy beside views that were built from the newer one.

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

struct rows_of_tea;
struct tea_in_rows {
    using view = rows_of_tea;
};
struct rows_of_tea {
    static constexpr std::string_view name = "rows_of_tea";
    using event = std::variant<shop::item_added>;
    using query = std::variant<tea_in_rows>;
    stored_map<std::string, int> units;
    ANNALS_FIELDS(rows_of_tea, units)
};
void evolve(rows_of_tea& view, const shop::item_added& happened) {
    view.units.change(happened.sku, [&](int& units) { units += happened.quantity; });
}
int answer(const rows_of_tea& view, const tea_in_rows&) {
    return view.units.value_or("tea", 0);
}

struct saved_tea;
struct tea_saved {
    using view = saved_tea;
};
struct saved_tea {
    static constexpr std::string_view name = "saved_tea";
    using event = std::variant<shop::item_added>;
    using query = std::variant<tea_saved>;
    int units = 0;
    ANNALS_FIELDS(saved_tea, units)
};
void evolve(saved_tea& view, const shop::item_added& happened) {
    view.units += happened.quantity;
}
int answer(const saved_tea& view, const tea_saved&) {
    return view.units;
}

struct told {
    std::mutex mutex;
    std::vector<log_position> positions;
};
struct teller {
    static constexpr std::string_view name = "teller";
    using event = std::variant<shop::item_added>;
    std::shared_ptr<told> to;
};
void react(teller& by, const shop::item_added&, const delivery& about) {
    const std::lock_guard lock(by.to->mutex);
    by.to->positions.push_back(about.position);
}

class shop_with_copies {
public:
    enum class hosted_now { all, nothing };
    [[nodiscard]] runtime open(hosted_now what = hosted_now::all) const {
        if (what == hosted_now::nothing)
            return runtime::open(store_.settings(), host<shop::cart>).value();
        return runtime::open(store_.settings(), host<shop::cart>, host<rows_of_tea>,
                             host<saved_tea>({.save_every = 1}),
                             host_reaction(teller{seen}, reaction_start::beginning))
            .value();
    }
    /// Events of `quantity` each, taken by all that is hosted.
    void sell(hosted_now what, int times, int quantity) const {
        auto rt = open(what);
        log_position last = 0;
        for (int i = 0; i != times; ++i)
            last = rt.send("17", shop::add_item{"tea", quantity}).get().value().position;
        if (what == hosted_now::all)
            for (const char* name : {"rows_of_tea", "saved_tea", "teller"})
                REQUIRE(rt.projection(name).reaches(last).get());
    }
    /// Without the projections' store, which lies elsewhere meanwhile: only the event at a checkpoint shows
    /// that the log is another one.
    void sell_beside_another_store(int times, int quantity) const {
        const auto views = store_.path() / "views.mdb";
        fs::rename(views, store_.path() / "views.elsewhere");
        sell(hosted_now::nothing, times, quantity);
        fs::rename(store_.path() / "views.elsewhere", views);
    }
    void copy_log() const {
        fs::copy_file(store_.path() / "journal.mdb", store_.path() / "copy",
                      fs::copy_options::overwrite_existing);
    }
    void put_log_back() const {
        fs::copy_file(store_.path() / "copy", store_.path() / "journal.mdb",
                      fs::copy_options::overwrite_existing);
        fs::remove(store_.path() / "journal.tail"); // the log's end is missing on purpose
    }
    void check_views(runtime& rt, int units) const {
        CHECK(said(rt.ask(tea_in_rows{}, latest())) == std::to_string(units));
        CHECK(said(rt.ask(tea_saved{}, latest())) == std::to_string(units));
    }
    void check_the_reaction_stops(runtime& rt) const {
        REQUIRE(eventually(
            rt, [&] { return status_of(rt, "teller").now == projection_status::state::failed; }));
        const auto why = status_of(rt, "teller").last_error;
        CHECK(why.find("put back") != std::string::npos);
        CHECK(why.find("projection_control::reset") != std::string::npos);
    }
    std::shared_ptr<told> seen = std::make_shared<told>();

private:
    event_store store_;
};
using hosted_now = shop_with_copies::hosted_now;

} // namespace

TEST_CASE(
    "a log that was put back is noticed, and what was built from the other one is built again") {
    const shop_with_copies shop;
    shop.sell(hosted_now::all, 5, 1);
    shop.copy_log();
    shop.sell(hosted_now::all, 10, 1);
    shop.put_log_back();
    // How far the log is written on before its projections are hosted again: less far than they
    // were, exactly as far, and further; in one opening or in several.
    SECTION("at once") {}
    SECTION("after it was opened without them") {
        shop.sell(hosted_now::nothing, 0, 0);
    }
    SECTION("and written on, less far") {
        shop.sell(hosted_now::nothing, 3, 100);
    }
    SECTION("and written on, as far") {
        shop.sell(hosted_now::nothing, 10, 100);
    }
    SECTION("and written on, further") {
        shop.sell(hosted_now::nothing, 20, 100);
    }
    SECTION("and written on in two openings") {
        shop.sell(hosted_now::nothing, 4, 100);
        shop.sell(hosted_now::nothing, 9, 100);
    }
    SECTION("and written on, as far, while their store lay elsewhere") {
        shop.sell_beside_another_store(10, 100);
    }
    SECTION("and written on, further, while their store lay elsewhere") {
        shop.sell_beside_another_store(20, 100);
    }
    int units = 5;
    {
        auto rt = shop.open();
        units += 100 * static_cast<int>(rt.status().head - 5);
        shop.check_views(rt, units);
        for (const char* name : {"rows_of_tea", "saved_tea"})
            CHECK(status_of(rt, name).note.find("put back") != std::string::npos);
        shop.check_the_reaction_stops(rt);
        REQUIRE(rt.send("17", shop::add_item{"tea", 1000}).get());
        shop.check_views(rt, units += 1000);
    }
    auto rt = shop.open(); // and it stays so, until somebody decides
    shop.check_views(rt, units);
    CHECK(status_of(rt, "rows_of_tea").note.empty());
    shop.check_the_reaction_stops(rt);
    REQUIRE(rt.projection("teller").resume().get());
    shop.check_the_reaction_stops(rt);
    CHECK(shop.seen->positions.size() == 15);
    const log_position head = rt.status().head;
    REQUIRE(rt.projection("teller").reset(5).get());
    REQUIRE(rt.projection("teller").reaches(head).get());
    CHECK(shop.seen->positions.size() == 15 + head - 5);
}

TEST_CASE("a log that is the one it was is not taken for another") {
    const shop_with_copies shop;
    for (int i = 0; i != 3; ++i) {
        shop.sell(hosted_now::all, 3, 1);
        shop.sell(hosted_now::nothing, 2, 1);
    }
    shop.copy_log();
    shop.put_log_back(); // the same
    auto rt = shop.open();
    shop.check_views(rt, 15);
    for (const char* name : {"rows_of_tea", "saved_tea", "teller"}) {
        REQUIRE(rt.projection(name).reaches(15).get());
        CHECK(status_of(rt, name).note.empty());
        CHECK(status_of(rt, name).last_error.empty());
    }
    CHECK(shop.seen->positions.size() == 15);
}
