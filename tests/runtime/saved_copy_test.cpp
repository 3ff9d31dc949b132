#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <atomic>

/// Saved copies of views in memory: of any size, written in parts, and what happens when one cannot be
/// saved.

using namespace annals;
using namespace annals::test;

namespace {

struct hoard;
struct hoard_size {
    using view = hoard;
};
/// Keeps a great many numbers, or much text, for each item.
struct hoard {
    static constexpr std::string_view name = "hoard";
    using event = std::variant<shop::item_added>;
    using query = std::variant<hoard_size>;
    std::vector<std::uint64_t> numbers;
    std::vector<std::string> texts;
    ANNALS_FIELDS(hoard, numbers, texts)
};
void evolve(hoard& to, const shop::item_added& happened) {
    if (happened.sku == "numbers")
        to.numbers.resize(to.numbers.size() + 300'000, to.numbers.size());
    else
        to.texts.emplace_back(std::size_t{5} << 20, 'x');
}
std::vector<std::uint64_t> answer(const hoard& of, const hoard_size&) {
    return {of.numbers.size(), of.numbers.empty() ? 0 : of.numbers.back(), of.texts.size(),
            of.texts.empty() ? 0 : of.texts.back().size()};
}

/// Notes how large each change was, and how many copies of a view were on their way at once.
class noting_projection_store final : public projection_store {
public:
    void apply(row_changes changes, applied done) override {
        largest = std::max(largest.load(), changes.size_bytes());
        ++changes_made;
        disk_->apply(std::move(changes), std::move(done));
    }
    [[nodiscard]] result<std::unique_ptr<row_snapshot>> snapshot() const override {
        return disk_->snapshot();
    }
    [[nodiscard]] row_space new_space() override { return disk_->new_space(); }
    [[nodiscard]] result<void> keep_only(std::span<const row_space> spaces) override {
        return disk_->keep_only(spaces);
    }
    [[nodiscard]] bool durable() const noexcept override { return true; }
    void close() override {} // it outlives the runtime, as a disk does

    std::atomic<std::size_t> largest{0};
    std::atomic<int> changes_made{0};

private:
    const std::shared_ptr<projection_store> disk_ = make_memory_projection_store();
};

/// Cannot be encoded, and counts how often that was tried.
struct stubborn {
    static inline std::atomic<int> tries{0};
};

} // namespace

template <>
struct annals::codec<stubborn> {
    static void encode(encoder&, const stubborn&) {
        ++stubborn::tries;
        throw std::runtime_error("too stubborn");
    }
    static bool decode(const node&, stubborn&, decode_error& why) { return why.fail("never"); }
};

namespace {

struct unsavable;
struct unsavable_count {
    using view = unsavable;
};
struct unsavable {
    static constexpr std::string_view name = "unsavable";
    using event = std::variant<shop::item_added>;
    using query = std::variant<unsavable_count>;
    int count = 0;
    stubborn inside;
    ANNALS_FIELDS(unsavable, count, inside)
};
void evolve(unsavable& to, const shop::item_added&) {
    ++to.count;
}
int answer(const unsavable& of, const unsavable_count&) {
    return of.count;
}

} // namespace

TEST_CASE("a copy of more than 16 MiB, or of more than a million elements, is saved and loaded") {
    const std::string of = GENERATE("numbers", "text");
    const std::uint64_t every = GENERATE(2U, 1'000U); // while it runs, and only at closing
    CAPTURE(of, every);
    const event_store store;
    const auto open = [&] {
        return runtime::open(store.settings(), host<shop::cart>, host<hoard>({.save_every = every}))
            .value();
    };
    constexpr log_position events = 4;
    std::vector<std::uint64_t> before;
    {
        auto rt = open();
        for (log_position i = 0; i != events; ++i)
            REQUIRE(said(rt.send("1", shop::add_item{of})) == "stored");
        before = rt.ask(hoard_size{}, latest()).get().value();
        REQUIRE(before[of == "numbers" ? 0 : 2] == events * (of == "numbers" ? 300'000 : 1));
        REQUIRE(rt.close());
        REQUIRE(status_of(rt, "hoard").last_error.empty());
    }
    auto rt = open();
    REQUIRE(rt.projection("hoard").reaches(events).get());
    REQUIRE(rt.ask(hoard_size{}, latest()).get().value() == before);
    // Nothing was folded again, or what came while the copy before the last began to count.
    REQUIRE(status_of(rt, "hoard").events <= (every == 2 ? 2U : 0U));
    REQUIRE(status_of(rt, "hoard").last_error.empty());
}

TEST_CASE("a copy is written in parts, each in a change of its own") {
    const auto disk = std::make_shared<noting_projection_store>();
    auto with = event_store(keeping::in_memory).settings();
    const auto log = with.journal;
    with.projections = disk;
    {
        auto rt = runtime::open(std::move(with), host<shop::cart>, host<hoard>({.save_every = 1}))
                      .value();
        REQUIRE(said(rt.send("1", shop::add_item{"text"})) == "stored");
        REQUIRE(rt.ask(hoard_size{}, latest()).get());
        REQUIRE(eventually(rt, [&] {
            return disk->snapshot().value()->last(1).value().has_value() && disk->changes_made > 11;
        }));
    }
    REQUIRE(disk->changes_made >= 5 * 2 + 1);
    REQUIRE(disk->largest < std::size_t{600} << 10);
}

TEST_CASE("a view that cannot be encoded says so, goes on, and is tried ever more rarely") {
    stubborn::tries = 0;
    auto with = event_store(keeping::in_memory).settings();
    with.limits.page_events = 1;
    auto rt = runtime::open(std::move(with), host<shop::cart>, host<unsavable>({.save_every = 1}))
                  .value();
    constexpr int events = 300;
    for (int i = 0; i != events; ++i)
        REQUIRE(said(rt.send("1", shop::add_item{"tea"})) == "stored");
    REQUIRE(rt.ask(unsavable_count{}, latest()).get().value() == events);
    REQUIRE(stubborn::tries > 0);
    REQUIRE(stubborn::tries < 12); // 1, 2, 4, 8, ... events apart
    REQUIRE(status_of(rt, "unsavable").last_error.find("too stubborn") != std::string::npos);
    REQUIRE(status_of(rt, "unsavable").last_error.find("could not be saved") != std::string::npos);
}
