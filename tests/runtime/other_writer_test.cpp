#include "support/holding_journal.hpp"
#include "support/journal_verbs.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

/// A runtime is not alone with its journal: what another writer appends is taken into account.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::confirm_units;
using shop::remove_item;

TEST_CASE("a command is decided again on what another writer appended") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    REQUIRE(append_outside(rt.journal(), "cart-17", shop::item_added{"tea", 5}));

    const auto removed = rt.send("17", remove_item{"tea"}).get().value();
    REQUIRE(removed.version == 3);
    const auto page = rt.journal().read_stream("cart-17", 3, 1).value();
    REQUIRE(from_bytes<shop::item_removed>(page.events.at(0).payload).value().quantity == 6);
    REQUIRE(rt.status().conflicts == 1);
}

TEST_CASE("commands in flight when another writer appends are decided again in their order") {
    auto log = std::make_shared<holding_journal>(make_memory_journal());
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    auto rt = open_shop(std::move(with));
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    log->hold();
    std::vector<future<receipt>> coming;
    for (int i = 1; i <= 30; ++i)
        coming.push_back(rt.send("17", add_item{"rum", i}));
    const auto removed = rt.send("17", remove_item{"tea"});
    REQUIRE(log->holds(31));
    REQUIRE(append_outside(log->inner(), "cart-17", shop::item_removed{"tea", 1}));
    log->release();

    for (std::size_t i = 0; i < coming.size(); ++i)
        REQUIRE(coming[i].get().value().version == 3 + i);
    REQUIRE(said(removed) == "rejected: not in cart"); // as it now is
    REQUIRE(stored_cart(*log, "17").items == std::map<std::string, int>{{"rum", 465}});
}

TEST_CASE("a command gives up after as many conflicts as the configuration allows") {
    auto log = std::make_shared<holding_journal>(make_memory_journal());
    log->fail_where([&inner = log->inner()](const commit& candidate) -> std::optional<error> {
        if (candidate.stream != "cart-17")
            return std::nullopt;
        return error{errc::version_conflict, "always too late",
                     inner.describe(candidate.stream).value().version};
    });
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    with.limits.conflict_retries = 3;
    auto rt = open_shop(std::move(with));
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "version_conflict");
    REQUIRE(rt.status().conflicts == 4);
    log->fail_where({});
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
}

TEST_CASE("two runtimes over one journal lose no command to each other") {
    class shared_journal final : public journal { // closed by nobody but the test
    public:
        explicit shared_journal(journal& of) : of_(of) {}
        uuid id() const noexcept override { return of_.id(); }
        journal_capabilities capabilities() const noexcept override { return of_.capabilities(); }
        void append(std::shared_ptr<append_operation> what) override {
            of_.append(std::move(what));
        }
        result<event_page> read_stream(std::string_view stream, stream_version from,
                                       std::size_t max, direction way) const override {
            return of_.read_stream(stream, from, max, way);
        }
        result<event_page> read_all(log_position after, std::size_t max,
                                    const event_filter& filter) const override {
            return of_.read_all(after, max, filter);
        }
        log_position head() const noexcept override { return of_.head(); }
        result<stream_info> describe(std::string_view stream) const override {
            return of_.describe(stream);
        }
        result<std::unique_ptr<subscription>> subscribe(log_position after, event_filter filter,
                                                        std::function<void()> wake) override {
            return of_.subscribe(after, std::move(filter), std::move(wake));
        }
        void close() override {}

    private:
        journal& of_;
    };

    const auto log = make_memory_journal();
    const auto open = [&] {
        auto with = event_store(keeping::in_memory).settings();
        with.journal = std::make_shared<shared_journal>(*log);
        with.limits.conflict_retries = 1'000'000;
        return open_shop(std::move(with));
    };
    auto one = open();
    auto other = open();
    std::vector<future<receipt>> coming;
    for (int i = 0; i < 300; ++i) {
        coming.push_back(one.send(std::to_string(i % 2), add_item{"tea"}));
        coming.push_back(other.send(std::to_string(i % 2), add_item{"tea"}));
    }
    int stored = 0;
    for (const auto& each : coming)
        stored += said(each) == "stored";
    REQUIRE(stored == 600);
    REQUIRE(log->head() == 600);
    REQUIRE(said(one.ask(shop::demand_for{"tea"}, {600, {}})) == "600");
    REQUIRE(said(other.ask(shop::demand_for{"tea"}, {600, {}})) == "600");
}
