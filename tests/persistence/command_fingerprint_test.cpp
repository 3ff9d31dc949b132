#include "annals/command_fingerprint.hpp"
#include "annals/event.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <set>

/// What tells a repeated command from another one with the same id.

using annals::command_fingerprint;
using annals::fingerprint_of;

namespace {

struct line {
    std::string sku;
    int quantity = 1;
    ANNALS_FIELDS(line, sku, quantity)
};
struct line_with_a_note {
    std::string sku;
    int units = 1;
    std::string note;
    ANNALS_RENAMED_FIELDS((quantity, units))
    ANNALS_FIELDS(line_with_a_note, sku, note, units)
};
template <class Line>
struct order {
    static constexpr std::string_view command_name = "order";
    std::vector<Line> lines;
    std::unordered_map<std::string, int> discounts;
    std::optional<std::string> coupon;
    std::variant<int, std::string> payment;
    std::map<std::string, std::pair<int, double>> rates;
    ANNALS_FIELDS(order, lines, discounts, coupon, payment, rates)
};
using simple_order = order<line>;

struct deposit {
    int amount = 0;
    ANNALS_FIELDS(deposit, amount)
};
struct withdraw {
    int amount = 0;
    ANNALS_FIELDS(withdraw, amount)
};
struct pay_in { // what deposit was renamed to
    static constexpr std::string_view command_name = "deposit";
    int amount = 0;
    ANNALS_FIELDS(pay_in, amount)
};
struct old_deposit {
    static constexpr std::string_view command_name = "deposit";
    int amount = 0;
    ANNALS_FIELDS(old_deposit, amount)
};
struct plain {
    int amount = 0;
};
struct rename_it { // a member that is no name of the command
    std::string command_name;
    std::function<void()> then;
    ANNALS_FIELDS(rename_it, command_name, then)
};

simple_order usual_order() {
    return {{{"tea", 2}, {"rum", 1}},
            {{"tea", 10}, {"rum", 20}},
            "welcome",
            std::string("card"),
            {{"vat", {7, 0.5}}}};
}

} // namespace

TEST_CASE("a command's fingerprint tells its type and its fields") {
    const auto one = fingerprint_of(deposit{1});
    CHECK(one.known());
    CHECK(one == fingerprint_of(deposit{1}));
    CHECK(one.differs_from(fingerprint_of(deposit{2})));
    CHECK_FALSE(one.type_differs_from(fingerprint_of(deposit{2})));
    CHECK(one.differs_from(fingerprint_of(withdraw{1})));
    CHECK(one.type_differs_from(fingerprint_of(withdraw{1})));
}

TEST_CASE("a command that does not name its fields is known by its type") {
    const auto one = fingerprint_of(plain{1});
    CHECK(one.type != 0);
    CHECK(one.fields == 0);
    CHECK_FALSE(one.differs_from(fingerprint_of(plain{2})));
    CHECK(one.differs_from(fingerprint_of(deposit{1})));
}

TEST_CASE("what one fingerprint does not know does not differ") {
    const auto one = fingerprint_of(deposit{1});
    CHECK_FALSE(one.differs_from({}));
    CHECK_FALSE(command_fingerprint{}.differs_from(one));
    CHECK_FALSE(one.differs_from({one.type, 0}));
    CHECK_FALSE(command_fingerprint{}.known());
}

TEST_CASE("a command type that is renamed keeps its fingerprint with its old name") {
    CHECK(fingerprint_of(pay_in{5}) == fingerprint_of(old_deposit{5}));
    CHECK(fingerprint_of(pay_in{5}).differs_from(fingerprint_of(deposit{5}))); // by its C++ name
}

TEST_CASE("whatever differs inside a command's fields, its fingerprint differs") {
    std::set<std::uint32_t> all{fingerprint_of(usual_order()).fields};
    std::size_t made = 1;
    const auto differs = [&](const std::function<void(simple_order&)>& change) {
        auto other = usual_order();
        change(other);
        all.insert(fingerprint_of(other).fields);
        REQUIRE(all.size() == ++made);
    };
    differs([](auto& o) { o.lines[0].quantity = 3; });
    differs([](auto& o) { o.lines.pop_back(); });
    differs([](auto& o) { std::swap(o.lines[0], o.lines[1]); });
    differs([](auto& o) { std::swap(o.lines[0].sku, o.lines[1].sku); });
    differs([](auto& o) { o.lines.clear(); });
    differs([](auto& o) { o.discounts["tea"] = 20; });
    differs([](auto& o) { std::swap(o.discounts["tea"], o.discounts["rum"]); });
    differs([](auto& o) { o.discounts.clear(); });
    differs([](auto& o) { o.coupon.reset(); });
    differs([](auto& o) { o.coupon = ""; });
    differs([](auto& o) { o.payment = 5; });
    differs([](auto& o) { o.payment = std::string("cash"); });
    differs([](auto& o) { o.rates["vat"].first = 19; });
    differs([](auto& o) { o.rates["vat"].second = 0.25; });
    differs([](auto& o) { o = {}; });
}

TEST_CASE("a map's order of insertion does not count where the map has no order") {
    auto one = usual_order();
    auto other = usual_order();
    one.discounts.clear();
    other.discounts.clear();
    for (int i = 0; i != 100; ++i) {
        one.discounts[std::to_string(i)] = i;
        other.discounts[std::to_string(99 - i)] = 99 - i;
    }
    other.discounts.rehash(1'000);
    CHECK(fingerprint_of(one) == fingerprint_of(other));
}

TEST_CASE("a field that is added, or renamed, does not make it another command") {
    const order<line_with_a_note> same{{{"tea", 2, ""}, {"rum", 1, ""}},
                                       {{"tea", 10}, {"rum", 20}},
                                       "welcome",
                                       std::string("card"),
                                       {{"vat", {7, 0.5}}}};
    CHECK(fingerprint_of(same) == fingerprint_of(usual_order()));
    auto noted = same;
    noted.lines[1].note = "gift";
    CHECK(fingerprint_of(noted).differs_from(fingerprint_of(usual_order())));
}

TEST_CASE("what annals cannot write does not count, nor what it would not read again") {
    CHECK(fingerprint_of(rename_it{"a", {}}).differs_from(fingerprint_of(rename_it{"b", {}})));
    CHECK(fingerprint_of(rename_it{"a", {}}) == fingerprint_of(rename_it{"a", [] {}}));
    const std::vector<int> too_long(1'000'001);
    CHECK(fingerprint_of(too_long).fields == 0);
    CHECK(fingerprint_of(too_long).type != 0);
}

TEST_CASE("fingerprints stay what they are, because they are stored") {
    CHECK(fingerprint_of(old_deposit{5}) == command_fingerprint{0x6729ad2b, 0xe17cafb8});
    CHECK(fingerprint_of(usual_order()) == command_fingerprint{0x2ab7c6cc, 0x3a963f69});
}
