#include "support/runtime_verbs.hpp"

#include "annals/stored_map.hpp"

#include <catch2/catch.hpp>

#include <mutex>
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
