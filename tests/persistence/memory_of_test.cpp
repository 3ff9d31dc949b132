#include "annals/event.hpp"
#include "annals/memory_of.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

/// What a value holds besides its own size, for limits in bytes.

using annals::memory_of;

namespace {

constexpr std::size_t kib = 1'024;
std::string text() {
    return std::string(kib, 'x');
}
/// Between one and one and a half times what `texts` texts hold.
bool holds(std::size_t memory, std::size_t texts) {
    return memory >= texts * kib && memory <= texts * (kib + kib / 2);
}

struct line {
    std::string sku;
    int quantity = 1;
};
struct described_line {
    std::string sku;
    std::vector<line> lines;
    int not_listed = 0;
    ANNALS_FIELDS(described_line, sku, lines)
};
struct order {
    std::string customer;
    int number = 0;
    line first;
    std::optional<std::string> note;
    std::vector<line> lines;
    std::array<std::string, 2> address;
    std::pair<int, std::string> total;
    std::variant<int, std::string> paid;
    std::map<std::string, std::string> extra;
    std::chrono::seconds timeout{};
    std::function<void()> done;
    std::unique_ptr<std::string> remark;
    unsigned urgent : 1 = 0;
};
struct tree {
    std::string name;
    std::vector<tree> branches;
};
/// These are plain structs no more, and their fields stay unseen.
struct with_base : line {
    std::string more;
};
struct with_array {
    std::string texts[2];
};
struct with_anonymous_union {
    union {
        int whole;
        float real;
    };
    std::string more;
};
struct of_anything {
    template <class T>
    of_anything(const T&) {}
    of_anything() = default;
};
struct with_one_of_anything {
    std::string before;
    of_anything odd;
    std::string behind;
};
class hidden {
public:
    std::string seen;

private:
    [[maybe_unused]] std::string text_ = text();
};
struct hinting {
    std::string text;
    std::shared_ptr<int> shared = {};
};
std::size_t size_hint(const hinting&) {
    return 7 * kib;
}

} // namespace

TEST_CASE("a number holds nothing, a short text nothing, a long one its bytes") {
    CHECK(memory_of(7) == 0);
    CHECK(memory_of(std::string("tea")) == 0);
    CHECK(memory_of(std::string_view("a text that belongs to somebody else, and is not short")) ==
          0);
    CHECK(holds(memory_of(text()), 1));
    std::string reserved;
    reserved.reserve(kib);
    CHECK(holds(memory_of(reserved), 1)); // memory, not length
}

TEST_CASE("containers hold their elements, and what these hold") {
    CHECK(holds(memory_of(std::vector<std::string>{text(), text()}), 2));
    CHECK(holds(memory_of(std::list<std::string>{text(), text()}), 2));
    CHECK(holds(memory_of(std::deque<std::string>{text(), text()}), 2));
    CHECK(holds(memory_of(std::set<std::string>{text()}), 1));
    CHECK(holds(memory_of(std::map<int, std::string>{{1, text()}, {2, text()}}), 2));
    CHECK(holds(memory_of(std::unordered_map<std::string, int>{{text(), 1}}), 1));
    CHECK(memory_of(std::vector<int>(1'000)) >= 4'000);
    CHECK(memory_of(std::vector<bool>(80'000)) >= 10'000);
    CHECK(memory_of(std::vector<bool>(80'000)) < 12'000);
    CHECK(memory_of(std::map<int, int>{{1, 1}}) >= 48); // a node is more than its value
    CHECK(memory_of(std::vector<std::string>{}) == 0);
}

TEST_CASE("a described struct holds what its fields hold") {
    CHECK(holds(memory_of(described_line{text(), {{text(), 1}, {text(), 2}}}), 3));
}

TEST_CASE("a plain struct needs no description") {
    order made;
    CHECK(memory_of(made) == 0);
    made.customer = made.first.sku = text();
    made.note = text();
    made.lines.push_back({text(), 1});
    made.address[1] = text();
    made.total.second = text();
    made.paid = text();
    made.extra[text()] = text();
    made.remark = std::make_unique<std::string>(text());
    CHECK(holds(memory_of(made), 10));
    CHECK(holds(memory_of(tree{text(), {{text(), {}}, {text(), {{text(), {}}}}}}), 4));
}

TEST_CASE("what is not surely a plain struct compiles, and counts as nothing") {
    CHECK(memory_of(with_base{{text(), 1}, text()}) == 0);
    CHECK(memory_of(with_array{{text(), text()}}) == 0);
    CHECK(memory_of(with_anonymous_union{{1}, text()}) == 0);
    CHECK(memory_of(with_one_of_anything{text(), {}, text()}) == 0);
    CHECK(memory_of(hidden{}) == 0);
    CHECK(memory_of(std::function<void()>{}) == 0);
    CHECK(memory_of(std::make_shared<std::string>(text())) == 0);
}

TEST_CASE("a type that says what it holds is believed, wherever it is") {
    CHECK(memory_of(hinting{}) == 7 * kib);
    CHECK(memory_of(std::vector<hinting>(2)) >= 14 * kib);
}
