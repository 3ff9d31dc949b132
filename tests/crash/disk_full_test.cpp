#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <fstream>

#include <sys/mount.h>

/// On a full disk commands are refused, reads go on, and nothing that was acknowledged is lost.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::confirm_units;

namespace {

/// A disk of a few megabytes. Making one needs permission to mount.
class small_disk {
public:
    explicit small_disk(const std::string& size) {
        mounted_ = ::mount("annals_test", directory_.path().c_str(), "tmpfs", 0,
                           ("size=" + size).c_str()) == 0;
    }
    ~small_disk() {
        if (mounted_)
            ::umount2(directory_.path().c_str(), MNT_DETACH);
    }
    small_disk(const small_disk&) = delete;
    small_disk& operator=(const small_disk&) = delete;

    [[nodiscard]] bool usable() const noexcept { return mounted_; }
    [[nodiscard]] std::filesystem::path ballast() const { return directory_.path() / "ballast"; }
    [[nodiscard]] config settings() const {
        auto with = event_store().settings();
        with.directory = directory_.path() / "shop.db";
        return with;
    }
    void write_ballast(std::size_t bytes) const {
        std::ofstream to(ballast(), std::ios::binary);
        to << std::string(bytes, 'x');
    }

private:
    temporary_directory directory_;
    bool mounted_ = false;
};

const std::string large(20'000, 'x');

/// Fills the disk from several aggregates at once. How many of each cart's commands were stored.
std::map<std::string, int> fill(runtime& rt, std::map<std::string, int>& answers) {
    std::map<std::string, int> stored;
    for (int round = 0; answers["disk_full"] + answers["no answer"] == 0 && round < 1'000;
         ++round) {
        std::vector<std::pair<std::string, future<receipt>>> coming;
        for (int i = 0; i < 20; ++i) {
            const std::string id = std::to_string(i % 4);
            coming.emplace_back(id, rt.send(id, add_item{large}));
        }
        for (const auto& [id, each] : coming) {
            const auto answer = said(each);
            ++answers[answer];
            stored[id] += answer == "stored";
        }
    }
    return stored;
}

bool holds(runtime& rt, const std::map<std::string, int>& carts) {
    bool all = true;
    for (const auto& [id, units] : carts)
        all = all && said(rt.send(id, confirm_units{units})) == "nothing to do";
    return all;
}

} // namespace

TEST_CASE("on a full disk commands are refused, and stored again when there is room") {
    const small_disk disk("8m");
    if (!disk.usable()) {
        WARN("skipped: mounting a small disk is not permitted here");
        return;
    }
    disk.write_ballast(0);
    std::map<std::string, int> carts;
    {
        auto with = disk.settings();
        auto rt = open_shop(std::move(with));
        disk.write_ballast(4 << 20);
        std::map<std::string, int> answers;
        carts = fill(rt, answers);
        INFO("disk_full " << answers["disk_full"] << ", unknown " << answers["outcome_unknown"]
                          << ", unavailable " << answers["unavailable"]);
        REQUIRE(answers["disk_full"] > 0);
        REQUIRE(answers["stored"] > 0);
        REQUIRE(answers["no answer"] == 0);
        // Whatever else was refused had been decided on top of what the disk had no room for.
        REQUIRE(answers.size() - answers.count("no answer") - answers.count("outcome_unknown") -
                    answers.count("unavailable") - answers.count("predecessor_failed") ==
                2);
        REQUIRE(holds(rt, carts)); // reading needs no room
        const auto in_view =
            rt.ask(shop::demand_for{large}, {rt.journal().head(), {}}).get().value();
        REQUIRE(in_view == answers["stored"]);

        std::filesystem::remove(disk.ballast());
        REQUIRE(said(rt.send("0", add_item{"tea"})) == "stored");
        ++carts["0"];
        REQUIRE(holds(rt, carts));
        REQUIRE(rt.close());
    }
    auto rt = open_shop(disk.settings());
    REQUIRE(holds(rt, carts));
}

TEST_CASE("a store that filled its disk can be opened while the disk is still full") {
    const small_disk disk("8m");
    if (!disk.usable()) {
        WARN("skipped: mounting a small disk is not permitted here");
        return;
    }
    std::map<std::string, int> carts;
    {
        auto rt = open_shop(disk.settings());
        std::map<std::string, int> answers;
        carts = fill(rt, answers);
        REQUIRE(answers["disk_full"] > 0);
    }
    auto rt = open_shop(disk.settings());
    REQUIRE(holds(rt, carts));
    std::map<std::string, int> answers;
    for (const auto& [id, units] : fill(rt, answers)) // opening may have made a little room
        carts[id] += units;
    REQUIRE(answers["disk_full"] > 0);
    REQUIRE(holds(rt, carts));
}

TEST_CASE("a disk that is full from the beginning is an error of opening, not a crash") {
    const small_disk disk("64k");
    if (!disk.usable()) {
        WARN("skipped: mounting a small disk is not permitted here");
        return;
    }
    disk.write_ballast(64 << 10);
    const auto opened = runtime::open(disk.settings(), host<shop::cart>);
    REQUIRE_FALSE(opened);
    REQUIRE(opened.error().code == errc::disk_full);
}

TEST_CASE("a store at its configured size refuses commands as on a full disk") {
    const event_store store;
    auto with = store.settings();
    with.store.max_store_bytes = std::size_t{8} << 20;
    std::map<std::string, int> carts;
    {
        auto rt = open_shop(std::move(with));
        std::map<std::string, int> answers;
        carts = fill(rt, answers);
        REQUIRE(answers["disk_full"] > 0);
        REQUIRE(answers["no answer"] == 0);
        REQUIRE(holds(rt, carts));
    }
    auto larger = open_shop(store.settings());
    REQUIRE(holds(larger, carts));
    REQUIRE(said(larger.send("0", add_item{large})) == "stored");
}
