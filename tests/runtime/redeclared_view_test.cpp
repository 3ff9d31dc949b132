#include "support/runtime_verbs.hpp"

#include "annals/stored_map.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <mutex>
#include <set>
#include <vector>

/// Projections that are declared otherwise at the next opening, with the same name and version.

using namespace annals;
using namespace annals::test;

namespace {

struct total {};

/// Counts what it lists; in memory, saved.
template <class... Es>
struct kept {
    static constexpr std::string_view name = "kept";
    using event = std::variant<Es...>;
    using query = std::variant<total>;
    int events = 0;
    ANNALS_FIELDS(kept, events)
};
template <class... Es, class E>
void evolve(kept<Es...>& view, const E&) {
    ++view.events;
}
template <class... Es>
int answer(const kept<Es...>& view, const total&) {
    return view.events;
}

/// The same, stored, with values of a type of one's choice.
template <class Value, class... Es>
struct rows {
    static constexpr std::string_view name = "rows";
    using event = std::variant<Es...>;
    using query = std::variant<total>;
    stored_map<std::uint32_t, Value> events;
    ANNALS_FIELDS(rows, events)
};
template <class Value, class... Es, class E>
void evolve(rows<Value, Es...>& view, const E&) {
    view.events.change(1, [](Value& count) { count = static_cast<Value>(count + 1); });
}
template <class Value, class... Es>
int answer(const rows<Value, Es...>& view, const total&) {
    return static_cast<int>(view.events.value_or(1, Value{}));
}

/// Collects quantities, or counts them.
void collect(std::vector<int>& into, int quantity) {
    into.push_back(quantity);
}
void collect(std::set<int>& into, int quantity) {
    into.insert(quantity);
}
template <std::size_t N>
void collect(std::array<int, N>& into, int quantity) {
    ++into[static_cast<std::size_t>(quantity) % N];
}
struct list_them {};

/// In one saved value.
template <class Values>
struct saved_quantities {
    static constexpr std::string_view name = "quantities";
    using event = std::variant<shop::item_added>;
    using query = std::variant<list_them>;
    Values all{};
    ANNALS_FIELDS(saved_quantities, all)
};
template <class Values>
void evolve(saved_quantities<Values>& view, const shop::item_added& happened) {
    collect(view.all, happened.quantity);
}
template <class Values>
std::vector<int> answer(const saved_quantities<Values>& view, const list_them&) {
    return {view.all.begin(), view.all.end()};
}

/// In one row, whose key is of a type of one's choice.
template <class Key, class Values>
struct stored_quantities {
    static constexpr std::string_view name = "quantities";
    using event = std::variant<shop::item_added>;
    using query = std::variant<list_them>;
    stored_map<Key, Values> rows;
    ANNALS_FIELDS(stored_quantities, rows)
};
template <class Key, class Values>
void evolve(stored_quantities<Key, Values>& view, const shop::item_added& happened) {
    view.rows.change(Key{'k'}, [&](Values& all) { collect(all, happened.quantity); });
}
template <class Key, class Values>
std::vector<int> answer(const stored_quantities<Key, Values>& view, const list_them&) {
    const auto all = view.rows.value_or(Key{'k'}, Values{});
    return {all.begin(), all.end()};
}

struct told {
    std::mutex mutex;
    std::vector<log_position> positions;
};
template <class... Es>
struct teller {
    static constexpr std::string_view name = "teller";
    using event = std::variant<Es...>;
    std::shared_ptr<told> to;
};
template <class... Es, class E>
void react(teller<Es...>& by, const E&, const delivery& about) {
    const std::lock_guard lock(by.to->mutex);
    by.to->positions.push_back(about.position);
}

using shop::item_added;
using shop::item_removed;

template <class Kept, class Rows, class Teller>
runtime open_with(const event_store& store, std::shared_ptr<told> to) {
    return runtime::open(store.settings(), host<shop::cart>, host<Kept>({.save_every = 1}),
                         host<Rows>,
                         host_reaction(Teller{std::move(to)}, reaction_start::beginning))
        .value();
}
/// Ten units come and one goes: eleven events.
void fill(runtime& rt) {
    for (int i = 0; i != 10; ++i)
        REQUIRE(said(rt.send("17", shop::add_item{"tea"})) == "stored");
    REQUIRE(said(rt.send("17", shop::remove_item{"tea"})) == "stored");
}
void wait_for_all(runtime& rt) {
    const log_position head = rt.status().head;
    for (const char* name : {"kept", "rows", "teller"})
        REQUIRE(rt.projection(name).reaches(head).get());
}
template <class View>
std::string total_of(runtime& rt) {
    return said(rt.ask<View>(total{}, latest()));
}

} // namespace

TEST_CASE("a view that lists other events is built again, though its version is the same") {
    using few_kept = kept<item_removed>;
    using few_rows = rows<int, item_removed>;
    using more_kept = kept<item_added, item_removed>;
    using more_rows = rows<int, item_added, item_removed>;
    const event_store store;
    const auto seen = std::make_shared<told>();
    {
        auto rt = open_with<few_kept, few_rows, teller<item_removed>>(store, seen);
        fill(rt);
        wait_for_all(rt);
        CHECK(total_of<few_kept>(rt) == "1");
        CHECK(total_of<few_rows>(rt) == "1");
    }
    {
        auto rt = open_with<more_kept, more_rows, teller<item_added, item_removed>>(store, seen);
        // What was there answers until the other has taken its place.
        CHECK(eventually(rt, [&] { return total_of<more_kept>(rt) == "11"; }));
        CHECK(eventually(rt, [&] { return total_of<more_rows>(rt) == "11"; }));
        for (const char* name : {"kept", "rows"})
            CHECK(status_of(rt, name).note.find("built again") != std::string::npos);
        // A reaction goes on from where it is, and says so.
        CHECK(status_of(rt, "teller").note.find("earlier ones are not") != std::string::npos);
        CHECK(seen->positions == std::vector<log_position>{11});
        REQUIRE(said(rt.send("17", shop::add_item{"tea"})) == "stored");
        wait_for_all(rt);
        CHECK(seen->positions == std::vector<log_position>{11, 12});
    }
    // In another order it is the same list.
    auto rt = open_with<kept<item_removed, item_added>, rows<int, item_removed, item_added>,
                        teller<item_removed, item_added>>(store, seen);
    for (const char* name : {"kept", "rows", "teller"})
        CHECK(status_of(rt, name).note.empty());
    CHECK(total_of<rows<int, item_removed, item_added>>(rt) == "12");
}

TEST_CASE("a stored view whose values are of another type is built again") {
    const event_store store;
    const auto seen = std::make_shared<told>();
    {
        auto rt =
            open_with<kept<item_added>, rows<int, item_added>, teller<item_added>>(store, seen);
        fill(rt);
        wait_for_all(rt);
    }
    using other_rows = rows<double, item_added>;
    auto rt = open_with<kept<item_added>, other_rows, teller<item_added>>(store, seen);
    CHECK(status_of(rt, "rows").note.find("what its rows are made of") != std::string::npos);
    CHECK(eventually(rt, [&] { return total_of<other_rows>(rt) == "10"; }));
    CHECK(eventually(rt, [&] { return !status_of(rt, "rows").rebuilding; }));
    CHECK(status_of(rt, "kept").note.empty());
}

namespace {

/// What View answers once it has taken everything and no other is built beside it.
template <class View>
std::vector<int> settled(runtime& rt) {
    REQUIRE(rt.template projection<View>().reaches(rt.status().head).get());
    REQUIRE(eventually(rt, [&] { return !status_of(rt, View::name).rebuilding; }));
    return rt.template ask<View>(list_them{}, latest()).get().value();
}

/// Opens a store with one view and then with the other. Quantities 2, 1, 2 were added.
template <class Before, class After>
std::vector<int> quantities_after_change() {
    const event_store store;
    projection_options often;
    if constexpr (!names_stored_maps<After>)
        often.save_every = 1;
    {
        auto rt = runtime::open(store.settings(), host<shop::cart>, host<Before>(often)).value();
        for (const int quantity : {2, 1, 2})
            REQUIRE(said(rt.send("17", shop::add_item{"tea", quantity})) == "stored");
        (void)settled<Before>(rt);
    }
    auto rt = runtime::open(store.settings(), host<shop::cart>, host<After>(often)).value();
    CHECK(status_of(rt, "quantities").note.find("built again") != std::string::npos);
    return settled<After>(rt);
}

} // namespace

TEST_CASE("a view whose containers are of another kind is built again, and not read as the other") {
    using list = std::vector<int>;
    using set = std::set<int>;
    const list as_given{2, 1, 2};
    const list sorted{1, 2};
    const list counted{0, 1, 2, 0};
    SECTION("in its rows") {
        const auto row = []<class Before, class After>(const Before&, const After&) {
            return quantities_after_change<stored_quantities<int, Before>,
                                           stored_quantities<int, After>>();
        };
        CHECK(row(set(), list()) == as_given);
        CHECK(row(list(), set()) == sorted);
        CHECK(row(std::array<int, 3>(), std::array<int, 4>()) == counted);
    }
    SECTION("in its saved copy") {
        const auto saved = []<class Before, class After>(const Before&, const After&) {
            return quantities_after_change<saved_quantities<Before>, saved_quantities<After>>();
        };
        CHECK(saved(set(), list()) == as_given);
        CHECK(saved(list(), set()) == sorted);
        CHECK(saved(std::array<int, 4>(), list()) == as_given);
    }
}

TEST_CASE("a stored view whose keys are of another type of the same size is built again") {
    using list = std::vector<int>;
    const list as_given{2, 1, 2};
    CHECK(quantities_after_change<stored_quantities<signed char, list>,
                                  stored_quantities<char, list>>() == as_given);
    CHECK(quantities_after_change<stored_quantities<char, list>,
                                  stored_quantities<signed char, list>>() == as_given);
}

TEST_CASE("a stored view whose rows cannot be read says so in its status") {
    auto with = event_store(keeping::in_memory).settings();
    with.projections = make_memory_projection_store();
    const auto rows_on_disk = with.projections;
    using few_rows = rows<int, item_added>;
    auto rt = runtime::open(std::move(with), host<shop::cart>, host<few_rows>).value();
    REQUIRE(said(rt.send("17", shop::add_item{"tea"})) == "stored");
    REQUIRE(total_of<few_rows>(rt) == "1");
    CHECK(status_of(rt, "rows").last_error.empty());
    row_changes damage;
    {
        const auto now = rows_on_disk->snapshot().value();
        const auto space = catalog::find(*now, "rows").value()->serving.space;
        const auto found = now->at_or_after(space, {}).value();
        REQUIRE(found);
        const std::byte no_number{0xa0}; // an empty text
        damage.put(space, found->key, bytes_view(&no_number, 1));
    }
    REQUIRE(apply_and_wait(*rows_on_disk, std::move(damage)));
    CHECK(total_of<few_rows>(rt) != "1");
    CHECK(status_of(rt, "rows").last_error.find("the host's answer threw") != std::string::npos);
}
