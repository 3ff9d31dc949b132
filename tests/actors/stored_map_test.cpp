#include "annals/stored_map.hpp"
#include "row_session.hpp"

#include "support/seed.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

using namespace annals;

namespace {

struct totals {
    std::int64_t units = 0;
    std::string remark;
    ANNALS_FIELDS(totals, units, remark)
    friend bool operator==(const totals&, const totals&) = default;
};

using key = std::pair<std::string, std::int16_t>;
using model = std::map<key, totals>;
using stored = stored_map<key, totals>;

struct looked {};
struct happened {
    ANNALS_EVENT(happened, "happened")
};
struct two_tables {
    using event = std::variant<happened>;
    using query = std::variant<looked>;
    stored first;
    stored second;
    ANNALS_FIELDS(two_tables, first, second)
};

key any_key(std::mt19937_64& chance) {
    static const std::vector<std::string> texts{"", "a", std::string("a\0", 2), "ab", "b", "\xFF"};
    return {texts[chance() % texts.size()], static_cast<std::int16_t>(chance() % 9 - 4)};
}

/// Long and short values, so that buffers are outgrown.
totals any_totals(std::mt19937_64& chance) {
    return {static_cast<std::int64_t>(chance() % 1000), std::string(chance() % 60, 'r')};
}

template <class Range>
std::vector<std::pair<key, totals>> listed(const Range& range) {
    std::vector<std::pair<key, totals>> all;
    for (const auto& [k, v] : range)
        all.emplace_back(k, v);
    return all;
}

std::vector<std::pair<key, totals>> turned(std::vector<std::pair<key, totals>> all) {
    std::reverse(all.begin(), all.end());
    return all;
}

std::vector<std::pair<key, totals>> listed(model::const_iterator from, model::const_iterator to) {
    return {from, to};
}

/// One random call on both; false if they say different things.
bool same_change(stored& real, model& expected, std::mt19937_64& chance) {
    const key at = any_key(chance);
    const totals value = any_totals(chance);
    switch (chance() % 4) {
    case 0:
        real.put(at, value);
        expected[at] = value;
        return true;
    case 1:
    case 2: {
        const auto more = [&](totals& row) {
            row.units += value.units;
            row.remark = value.remark;
        };
        real.change(at, more);
        more(expected[at]);
        return true;
    }
    default:
        return real.erase(at) == (expected.erase(at) == 1);
    }
}

bool same_points(const stored& real, const model& expected, std::mt19937_64& chance) {
    const key at = any_key(chance);
    const auto found = expected.find(at);
    if (found == expected.end())
        return !real.find(at) && !real.contains(at) &&
               real.value_or(at, {7, "x"}) == totals{7, "x"};
    return real.find(at) == found->second && real.contains(at);
}

/// Each range, both ways.
bool same_ranges(const stored& real, const model& expected, std::mt19937_64& chance) {
    const key low = any_key(chance);
    const key high = any_key(chance);
    const auto from = expected.lower_bound(low);
    const auto to = expected.lower_bound(high);
    const auto between = low < high ? listed(from, to) : std::vector<std::pair<key, totals>>();
    const auto prefix_begin = expected.lower_bound({low.first, INT16_MIN});
    const auto prefix_end = expected.upper_bound({low.first, INT16_MAX});
    const auto agree = [](const stored::range& range,
                          const std::vector<std::pair<key, totals>>& as) {
        return listed(range) == as && listed(range.backwards()) == turned(as) &&
               listed(range.backwards().backwards()) == as;
    };
    return agree(real.all(), listed(expected.begin(), expected.end())) &&
           agree(real.from(low), listed(from, expected.end())) &&
           agree(real.until(high), listed(expected.begin(), to)) &&
           agree(real.between(low, high), between) &&
           agree(real.starting_with(low.first), listed(prefix_begin, prefix_end));
}

} // namespace

TEST_CASE("a stored map on its own behaves like a std::map") {
    const auto seed = test::random_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 chance(seed);
    stored real;
    model expected;
    for (int i = 0; i < 3'000; ++i) {
        INFO("round " << i);
        if (!same_change(real, expected, chance) || !same_points(real, expected, chance))
            FAIL("they differ");
        if (i % 16 == 0 && !same_ranges(real, expected, chance))
            FAIL("ranges differ");
        if (chance() % 500 == 0) {
            real.clear();
            expected.clear();
        }
    }
}

TEST_CASE("texts are found by what they begin with") {
    stored_map<std::string, int> words;
    for (const char* word : {"tea", "teapot", "team", "te", "milk", "tee"})
        words.put(word, 1);
    std::string found;
    for (const auto& [word, one] : words.starting_with("tea"))
        found += word + " ";
    CHECK(found == "tea team teapot ");
    found.clear();
    for (const auto& [word, one] : words.starting_with("te").backwards())
        found += word + " ";
    CHECK(found == "tee teapot team tea te ");
}

TEST_CASE("a stored map on its own is a value") {
    stored_map<std::string, int> one;
    one.put("tea", 1);
    stored_map<std::string, int> other = one;
    other.put("tea", 2);
    CHECK(one.find("tea") == 1);
    one = other;
    other.erase("tea");
    CHECK(one.find("tea") == 2);
    const stored_map<std::string, int> moved = std::move(one);
    CHECK(moved.find("tea") == 2);
    one = {};
    CHECK_FALSE(one.contains("tea"));
    CHECK(stored_map<std::string, int>().value_or("tea", 3) == 3);
}

TEST_CASE("a loop may change its map and goes on among the rows that there are") {
    stored_map<int, int> map;
    for (int i = 0; i < 10; ++i)
        map.put(i, i);
    std::vector<int> seen;
    for (const auto& [at, value] : map.all()) {
        seen.push_back(at);
        map.erase(at);
        map.erase(at + 1);
        if (at == 4)
            map.put(20, 20);
    }
    CHECK(seen == std::vector<int>{0, 2, 4, 6, 8, 20});
    seen.clear();
    map.put(1, 1);
    for (const auto& [at, value] : map.all().backwards()) {
        seen.push_back(at);
        map.clear();
    }
    CHECK(seen == std::vector<int>{1});
}

TEST_CASE("a row that is not of its type is an error that names the map") {
    const auto store = make_memory_projection_store();
    writing_rows rows(store, store->new_space());
    two_tables view;
    bind_tables(view, rows);
    row_key at;
    at.push(std::byte{2});
    table_key<key>::encode(at, {"tea", 1});
    rows.put(at.view(), to_bytes(std::string("no totals")));
    try {
        static_cast<void>(view.second.find({"tea", 1}));
        FAIL("it was read");
    } catch (const bad_result& e) {
        CHECK(e.error().code == errc::undecodable);
        CHECK(e.error().message.find("\"second\"") != std::string::npos);
    }
    rows.put(std::as_bytes(std::span("\x01hostile", 8)), to_bytes(totals{}));
    CHECK_THROWS_AS(view.first.all().begin(), bad_result);
    CHECK(shape_of<two_tables>() == "first,second");
}

TEST_CASE("whatever evolve does with its view, a bound view keeps its rows") {
    const auto store = make_memory_projection_store();
    writing_rows rows(store, store->new_space());
    two_tables view;
    bind_tables(view, rows);
    const auto evolve = [](two_tables state) {
        state.first.change({"tea", 1}, [](totals& row) { ++row.units; });
        return state;
    };
    view = evolve(std::move(view));
    view = evolve(view);
    CHECK(view.first.find({"tea", 1}) == totals{2, ""});
    view.second = view.first;
    CHECK(view.second.find({"tea", 1}) == totals{2, ""});
    view.second.erase({"tea", 1});
    CHECK(view.first.contains({"tea", 1}));

    two_tables fresh;
    fresh.second.put({"milk", 1}, {5, ""});
    view = fresh; // a new beginning
    CHECK(listed(view.first.all()).empty());
    CHECK(view.second.find({"milk", 1}) == totals{5, ""});
    two_tables again;
    bind_tables(again, rows);
    CHECK(again.second.contains({"milk", 1}));
}

TEST_CASE("a bound map shows the store, what is on its way there, and its own changes") {
    const auto seed = test::random_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 chance(seed);
    const auto store = make_memory_projection_store();
    const row_space space = store->new_space();
    writing_rows rows(store, space);
    two_tables view;
    bind_tables(view, rows);
    model expected;
    model before_event;
    model neighbour;
    std::deque<row_changes> on_their_way;
    const auto store_oldest = [&] {
        if (!apply_and_wait(*store, std::move(on_their_way.front())))
            FAIL("not stored");
        on_their_way.pop_front();
        rows.settle();
    };
    for (int i = 0; i < 6'000; ++i) {
        INFO("round " << i);
        switch (chance() % 40) {
        case 0:
            on_their_way.push_back(rows.seal());
            if (on_their_way.size() > 2)
                store_oldest();
            break;
        case 1:
            if (!on_their_way.empty())
                store_oldest();
            break;
        case 2:
            rows.release();
            break;
        default:
            break;
        }
        rows.begin_event();
        before_event = expected;
        const auto neighbour_before = neighbour;
        for (auto changes = chance() % 4; changes > 0; --changes)
            if (!same_change(view.first, expected, chance) ||
                (chance() % 4 == 0 && !same_change(view.second, neighbour, chance)))
                FAIL("they differ");
        if (chance() % 5 == 0) {
            rows.undo_event();
            expected = before_event;
            neighbour = neighbour_before;
        }
        if (!same_points(view.first, expected, chance) ||
            !same_points(view.second, neighbour, chance))
            FAIL("points differ");
        if (chance() % 8 == 0 && (!same_ranges(view.first, expected, chance) ||
                                  !same_ranges(view.second, neighbour, chance)))
            FAIL("ranges differ");
    }
    on_their_way.push_back(rows.seal());
    while (!on_their_way.empty())
        store_oldest();
    const auto snapshot = store->snapshot();
    REQUIRE(snapshot);
    reading_rows now(**snapshot, space);
    two_tables read;
    bind_tables(read, now);
    CHECK(listed(read.first.all()) == listed(expected.begin(), expected.end()));
    CHECK(listed(read.second.all()) == listed(neighbour.begin(), neighbour.end()));
    CHECK(same_ranges(read.first, expected, chance));
}

TEST_CASE("many new keys between ordered reads keep their order") {
    const auto seed = test::random_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 chance(seed);
    const auto store = make_memory_projection_store();
    writing_rows rows(store, store->new_space());
    stored_map<std::uint32_t, std::uint32_t> map;
    map.table().bind(rows, std::byte{1}, "map");
    std::map<std::uint32_t, std::uint32_t> expected;
    for (int round = 0; round < 30; ++round) {
        for (auto left = chance() % 700; left > 0; --left) {
            const auto at = static_cast<std::uint32_t>(chance() % 100'000);
            map.put(at, at);
            expected[at] = at;
        }
        std::map<std::uint32_t, std::uint32_t> found;
        for (const auto& [at, value] : map.all())
            found.emplace_hint(found.end(), at, value);
        if (found != expected)
            FAIL("round " << round);
    }
}

TEST_CASE("an answer cannot write, and says so") {
    const auto store = make_memory_projection_store();
    const auto snapshot = store->snapshot();
    REQUIRE(snapshot);
    reading_rows rows(**snapshot, store->new_space());
    two_tables view;
    bind_tables(view, rows);
    try {
        view.first.put({"tea", 1}, {});
        FAIL("it was written");
    } catch (const bad_result& e) {
        CHECK(e.error().code == errc::invalid_argument);
    }
    CHECK_THROWS_AS(view.first.erase({"tea", 1}), bad_result);
    CHECK_FALSE(view.first.contains({"tea", 1}));
}

TEST_CASE("a key has at most as many bytes as its error says") {
    stored_map<std::string, int> map; // text takes two bytes more
    const std::string longest(479 - 2, 'k');
    map.put(longest, 1);
    CHECK(map.contains(longest));
    try {
        map.put(longest + "k", 1);
        FAIL("a key over the limit was taken");
    } catch (const bad_result& e) {
        CHECK(e.error().code == errc::too_large);
        CHECK(e.error().message.find("more than 479 bytes, encoded") != std::string::npos);
    }
}

TEST_CASE("an event that changes too much for one transaction is refused, and can be taken back") {
    const auto store = make_memory_projection_store();
    writing_rows rows(store, store->new_space());
    stored_map<int, std::string> map;
    map.table().bind(rows, std::byte{1}, "map");
    rows.begin_event();
    const std::string mebibyte(std::size_t{1} << 20, 'm');
    int stored_rows = 0;
    try {
        for (; stored_rows < 100; ++stored_rows)
            map.put(stored_rows, mebibyte);
    } catch (const bad_result& e) {
        CHECK(e.error().code == errc::too_large);
    }
    CHECK(stored_rows == 6);
    rows.undo_event();
    CHECK(rows.changed_bytes() == 0);
    CHECK_FALSE(map.contains(0));
}
