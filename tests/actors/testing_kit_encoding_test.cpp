#include "annals/testing_catch2.hpp"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The given/when/then kit tells of events that do not survive being stored.

using namespace annals::testing;
using Catch::Contains;

namespace {

struct money {
    int cents = 0;
    std::string currency;
    ANNALS_FIELDS(money, cents) // currency is forgotten
};

/// Written as it is, read as another one.
struct lossy {
    int value = 0;
};

struct forgetful {
    std::string sku;
    int quantity = 1;
    std::optional<int> forgotten;
    ANNALS_EVENT(forgetful, "note.forgetful", sku, quantity)
};
struct priced {
    std::map<std::string, std::vector<money>> prices;
    ANNALS_EVENT(priced, "note.priced", prices)
};
struct unreadable {
    lossy value;
    ANNALS_EVENT(unreadable, "note.unreadable", value)
};
struct rounded {
    lossy value;
    bool operator==(const rounded& other) const { return value.value == other.value.value; }
    ANNALS_EVENT(rounded, "note.rounded", value)
};
struct tree {
    std::vector<tree> children;
    std::optional<double> weight;
    bool operator==(const tree&) const = default;
    ANNALS_EVENT(tree, "note.tree", children, weight)
};

template <class Event>
struct write {
    Event event;
};

struct notebook {
    static constexpr std::string_view name = "note";
    using event = std::variant<forgetful, priced, unreadable, rounded, tree>;
    using command = std::variant<write<forgetful>, write<priced>, write<unreadable>, write<rounded>,
                                 write<tree>>;
    using decision = annals::decision<event>;
};
template <class Event>
notebook::decision decide(const notebook&, const write<Event>& c) {
    return c.event;
}
template <class Event>
void evolve(notebook&, const Event&) {}

template <class Event>
std::string explained(const Event& event) {
    const check decided = given<notebook>().when(write<Event>{event}).then(event);
    const check folded = given<notebook>(event).then_state([](const notebook&) { return true; });
    const check expected = given<notebook>().when(write<tree>{}).then(event);
    CHECK(static_cast<bool>(decided) == static_cast<bool>(folded));
    if (!folded)
        CHECK(expected.explanation() == folded.explanation());
    return folded.explanation();
}

} // namespace

template <>
struct annals::codec<lossy> {
    static void encode(encoder& to, const lossy& value) { to.integer(value.value); }
    static bool decode(const node& from, lossy& value, decode_error& why) {
        std::int64_t found = 0;
        if (!from.get(found) || found > 100)
            return why.fail("more than a hundred");
        value.value = static_cast<int>(found) / 10 * 10;
        return true;
    }
};

TEST_CASE("an event with a field that its ANNALS_EVENT forgot fails the test") {
    CHECK(explained(forgetful{"tea", 2, 3}) ==
          "note.forgetful does not survive encoding: the struct has a field that its ANNALS_EVENT "
          "does not list");
    CHECK(explained(priced{}) ==
          "note.priced does not survive encoding: the struct in its field prices has a field that "
          "its ANNALS_FIELDS does not list");
}

TEST_CASE("an event that cannot be read back fails the test") {
    CHECK(explained(unreadable{{101}}) ==
          "note.unreadable does not survive encoding: value: more than a hundred");
    CHECK(explained(unreadable{{99}}) == "as expected");
}

TEST_CASE("an event that is read back as another fails the test if it has operator==") {
    CHECK_THAT(explained(rounded{{17}}), Contains("note.rounded does not survive encoding"));
    CHECK(explained(rounded{{10}}) == "as expected");
}

TEST_CASE("an event that is whole survives: one that contains its like, one with a number that is "
          "not itself") {
    CHECK(explained(tree{}) == "as expected");
    CHECK(explained(tree{{tree{}}, std::numeric_limits<double>::quiet_NaN()})
              .find("does not survive") == std::string::npos);
}
