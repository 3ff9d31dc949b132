#include "lmdb_store_verbs.hpp"

#include <thread>

using namespace annals;
using namespace annals::test;

namespace {

/// A stream of `events` events between those of others.
void append_long_stream(journal& to, std::size_t events) {
    std::vector<owned_commit> commits;
    for (std::size_t i = 1; i <= events; ++i) {
        commits.push_back(commit_of(std::to_string(i), "long-1"));
        if (i % 3 == 0)
            commits.push_back(
                commit_of("other " + std::to_string(i), "short-" + std::to_string(i)));
    }
    for (const auto& result : append_and_wait(to, std::move(commits)))
        REQUIRE(result);
}

std::uintmax_t file_bytes(const temporary_directory& directory) {
    return std::filesystem::file_size(directory.path() / "journal.mdb");
}

} // namespace

TEST_CASE("any part of a long stream is read in order, upwards and downwards", "[lmdb]") {
    const auto seed = random_seed();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const temporary_directory directory;
    const auto journal = open_store(directory.path());
    constexpr std::size_t events = 3'500;
    append_long_stream(*journal, events);
    for (int i = 0; i != 60; ++i) {
        const auto from = 1 + random() % events;
        const auto max = 1 + random() % events;
        const auto up = journal->read_stream("long-1", from, max).value();
        REQUIRE(up.events.size() == std::min<std::size_t>(max, events - from + 1));
        for (std::size_t k = 0; k != up.events.size(); ++k)
            REQUIRE(up.events[k].version == from + k);
        REQUIRE(up.at_end == (from + up.events.size() - 1 == events));
        REQUIRE(up.through == up.events.back().position);
        const auto down = journal->read_stream("long-1", from, max, direction::backward).value();
        REQUIRE(down.events.size() == std::min<std::size_t>(max, from));
        for (std::size_t k = 0; k != down.events.size(); ++k)
            REQUIRE(down.events[k].version == from - k);
        REQUIRE(down.at_end == (down.events.size() == from));
    }
    const auto all = journal->read_stream("long-1", 0, ~std::size_t{0}).value();
    REQUIRE(all.events.size() == events);
    REQUIRE(all.at_end);
    REQUIRE(journal->read_all(~log_position{0}, 10).value().at_end);
}

TEST_CASE("a page of large events ends before it fills the memory", "[lmdb]") {
    const temporary_directory directory;
    const auto journal = open_store(directory.path());
    constexpr std::size_t events = 40;
    for (std::size_t i = 0; i != events; ++i) {
        auto one = commit_of(std::to_string(i), "cart-1");
        one.events[0].payload.assign(1'000'000, static_cast<std::byte>(i));
        REQUIRE(append_one(*journal, std::move(one)));
    }
    const auto up = journal->read_stream("cart-1", 1, 1'000).value();
    REQUIRE(up.events.size() < 20);
    REQUIRE(up.events.size() > 10);
    REQUIRE_FALSE(up.at_end);
    REQUIRE(read_upwards(*journal, "cart-1").size() == events);
    const auto down = journal->read_stream("cart-1", events, 1'000, direction::backward).value();
    REQUIRE(down.events.size() < 20);
    REQUIRE(down.events.front().version == events);
    REQUIRE_FALSE(down.at_end);
    REQUIRE(journal->read_all(0, 1'000).value().events.size() < 20);
    const auto log = read_log(*journal);
    REQUIRE(log.size() == events);
    for (std::size_t i = 0; i != events; ++i)
        REQUIRE((log[i].payload == std::string(1'000'000, static_cast<char>(i))));
}

TEST_CASE("a filtered page says how far it looked", "[lmdb]") {
    const temporary_directory directory;
    auto options = small_store();
    options.unsafe_no_sync = true;
    const auto journal = open_store(directory.path(), options);
    std::vector<owned_commit> commits;
    for (int i = 0; i != 20'000; ++i)
        commits.push_back(commit_of(std::to_string(i), "cart-" + std::to_string(i % 50)));
    commits.push_back(commit_of("rare", "rare-1"));
    REQUIRE(append_and_wait(*journal, std::move(commits)).size() == 20'001);
    const event_filter rare{{}, {"rare"}};
    const auto first = journal->read_all(0, 10, rare).value();
    REQUIRE(first.events.empty());
    REQUIRE_FALSE(first.at_end);
    REQUIRE(first.through > 1'000);
    REQUIRE(read_log(*journal, 0, rare).size() == 1);
}

TEST_CASE("a reader that keeps its pages does not make the file grow", "[lmdb]") {
    const temporary_directory with;
    const temporary_directory without;
    const auto grow = [](const temporary_directory& directory, bool reads) {
        const auto journal = open_store(directory.path());
        std::vector<event_page> pages;
        auto follower = journal->subscribe(0, {}, [] {}).value();
        for (int i = 0; i != 400; ++i) {
            REQUIRE(append_one(*journal, commit_of(std::to_string(i), "cart-1")));
            if (reads) {
                pages.push_back(follower->next(10).value());
                pages.push_back(journal->read_stream("cart-1", 1, 5).value());
            }
        }
    };
    grow(with, true);
    grow(without, false);
    REQUIRE(file_bytes(with) <= file_bytes(without) + 16 * 4'096);
}

TEST_CASE("readers and a closing journal do not disturb each other", "[lmdb]") {
    const temporary_directory directory;
    const auto journal = open_store(directory.path());
    append_long_stream(*journal, 300);
    std::atomic<std::size_t> wrong{0};
    counter begun;
    std::vector<std::thread> readers;
    for (int t = 0; t != 3; ++t)
        readers.emplace_back([&, t] {
            for (std::size_t round = 0;; ++round) {
                const auto page =
                    t == 0   ? journal->read_all(0, 100)
                    : t == 1 ? journal->read_stream("long-1", 150, 100)
                             : journal->read_stream("long-1", 250, 100, direction::backward);
                if (round == 5)
                    begun.add();
                if (!page) {
                    wrong += page.error().code != errc::closed;
                    return;
                }
                wrong += page->events.size() != 100;
            }
        });
    const bool under_way = begun.reaches(3);
    journal->close();
    for (auto& each : readers)
        each.join();
    REQUIRE(under_way);
    REQUIRE(wrong == 0);
}
