#include "support/holding_journal.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

/// A command that the caller named may be sent again: it is stored once.

using namespace annals;
using namespace annals::test;
using shop::add_item;
using shop::add_items;
using shop::confirm_units;
using shop::remove_item;

namespace {

bool same_place(const receipt& a, const receipt& b) {
    return a.position == b.position && a.version == b.version && a.command_id == b.command_id;
}

} // namespace

TEST_CASE("a repeated command gets the receipt of the first") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    const auto first = rt.send("17", add_items{{"tea", "rum"}}, as_command("order")).get().value();
    REQUIRE(said(rt.send("17", add_item{"milk"})) == "stored");
    for (int i = 0; i < 3; ++i) {
        const auto again =
            rt.send("17", add_items{{"tea", "rum"}}, as_command("order")).get().value();
        REQUIRE(again.what == receipt::kind::already_stored);
        REQUIRE(same_place(again, first));
    }
    REQUIRE(rt.status().commands_already_stored == 3);
    REQUIRE(rt.status().commands_stored == 2);
    REQUIRE(stored_cart(rt.journal(), "17").units() == 3);
}

TEST_CASE("an error to a repeat denies nothing that an earlier sending stored") {
    auto rt = open_shop();
    const auto order = as_command("order");
    REQUIRE(said(rt.send("17", add_item{"tea"}, order)) == "stored");
    const auto late = rt.send("17", add_item{"tea"}, within(std::chrono::milliseconds(0), order));
    REQUIRE(said(late) == "deadline_exceeded");
    REQUIRE(mentions(late, "this sending stored nothing"));
    REQUIRE(rt.close());
    const auto closed = rt.send("17", add_item{"tea"}, order);
    REQUIRE(said(closed) == "closed");
    REQUIRE(mentions(closed, "this request stored nothing"));
}

TEST_CASE("a repeated command whose first is not stored yet waits for it") {
    auto log = std::make_shared<holding_journal>(make_memory_journal());
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    auto rt = open_shop(std::move(with));
    log->hold();
    const auto first = rt.send("17", add_item{"tea"}, as_command("order"));
    const auto second = rt.send("17", add_item{"tea"}, as_command("order"));
    REQUIRE(log->holds(2));
    REQUIRE_FALSE(second.is_ready());
    log->release();
    REQUIRE(said(first) == "stored");
    REQUIRE(said(second) == "already stored");
    REQUIRE(same_place(second.get().value(), first.get().value()));
    REQUIRE(stored_cart(rt.journal(), "17").units() == 1);
}

TEST_CASE("a repeated command whose first fails with the disk is not said to be stored") {
    auto log = std::make_shared<holding_journal>(make_memory_journal());
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    auto rt = open_shop(std::move(with));
    log->hold();
    log->fail_next(errc::disk_full);
    const auto first = rt.send("17", add_item{"tea"}, as_command("order"));
    const auto second = rt.send("17", add_item{"tea"}, as_command("order"));
    REQUIRE(log->holds(2));
    log->release();
    REQUIRE(said(first) == "disk_full");
    REQUIRE(said(second) == "predecessor_failed");
    REQUIRE(said(rt.send("17", add_item{"tea"}, as_command("order"))) == "stored");
    REQUIRE(stored_cart(rt.journal(), "17").units() == 1);
}

TEST_CASE("a repeated command is decided anew when its first had to be decided again") {
    auto log = std::make_shared<holding_journal>(make_memory_journal());
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    auto rt = open_shop(std::move(with));
    REQUIRE(said(rt.send("17", add_item{"tea"}, as_command("tea"))) == "stored");
    log->hold();
    // Meanwhile another writer takes the tea out, so the first and its repetition are refused; the
    // command before them is in flight when they are.
    const auto before = rt.send("17", add_item{"rum"});
    const auto first = rt.send("17", remove_item{"tea"}, as_command("remove"));
    const auto second = rt.send("17", remove_item{"tea"}, as_command("remove"));
    REQUIRE(log->holds(3));
    REQUIRE(append_outside(log->inner(), "cart-17", shop::item_removed{"tea", 1}));
    log->release(4); // the three, and that by which the aggregate waits for their failure
    REQUIRE(log->holds(3));
    log->release();
    REQUIRE(said(before) == "stored");
    REQUIRE(said(first) == "rejected: not in cart");
    REQUIRE(said(second) == "rejected: not in cart");
}

TEST_CASE("a command is known again after its aggregate left memory") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto clock = std::make_shared<manual_clock>();
    auto with = store.settings();
    with.clock = clock;
    with.limits.idle_timeout = std::chrono::minutes(1);
    auto rt = open_shop(std::move(with));
    const auto first = rt.send("17", add_items{{"tea", "rum"}}, as_command("order")).get().value();
    clock->advance(std::chrono::minutes(2));
    REQUIRE(eventually(rt, [&] { return rt.status().passivations > 0; }));
    const auto again = rt.send("17", add_items{{"tea", "rum"}}, as_command("order")).get().value();
    REQUIRE(again.what == receipt::kind::already_stored);
    REQUIRE(same_place(again, first));
}

TEST_CASE("a command is known again after a restart") {
    const event_store store;
    std::vector<receipt> firsts;
    {
        auto rt = open_shop(store.settings());
        for (int i = 0; i < 50; ++i)
            firsts.push_back(
                rt.send("17", add_item{"tea"}, as_command(std::to_string(i))).get().value());
    }
    auto rt = open_shop(store.settings());
    bool same = true;
    for (std::size_t i = 0; i < firsts.size(); ++i) {
        const auto again =
            rt.send("17", add_item{"tea"}, as_command(std::to_string(i))).get().value();
        same = same && again.what == receipt::kind::already_stored && same_place(again, firsts[i]);
    }
    REQUIRE(same);
    REQUIRE(rt.journal().head() == 50);
}

TEST_CASE("a command beyond the remembered ones is decided again") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto with = store.settings();
    with.limits.remembered_commands = 3;
    auto rt = open_shop(std::move(with));
    for (const auto* name : {"a", "b", "c", "d"})
        REQUIRE(said(rt.send("17", add_item{name}, as_command(name))) == "stored");
    REQUIRE(said(rt.send("17", add_item{"b"}, as_command("b"))) == "already stored");
    REQUIRE(said(rt.send("17", add_item{"d"}, as_command("d"))) == "already stored");
    REQUIRE(said(rt.send("17", add_item{"a"}, as_command("a"))) == "stored");
    REQUIRE(stored_cart(rt.journal(), "17").units() == 5);
}

TEST_CASE("the same command id means different commands for different aggregates") {
    auto rt = open_shop();
    REQUIRE(said(rt.send("17", add_item{"tea"}, as_command("order"))) == "stored");
    REQUIRE(said(rt.send("18", add_item{"tea"}, as_command("order"))) == "stored");
}

TEST_CASE("a named command that stored nothing is decided again") {
    auto rt = open_shop();
    REQUIRE(said(rt.send("17", remove_item{"tea"}, as_command("x"))) == "rejected: not in cart");
    REQUIRE(said(rt.send("17", add_item{"tea", 0}, as_command("y"))) == "nothing to do");
    REQUIRE(said(rt.send("17", add_item{"tea"})) == "stored");
    REQUIRE(said(rt.send("17", remove_item{"tea"}, as_command("x"))) == "stored");
    REQUIRE(said(rt.send("17", add_item{"tea", 1}, as_command("y"))) == "stored");
}

TEST_CASE("a command without a name is known by the id that its receipt names") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    auto rt = open_shop(store.settings());
    const auto first = rt.send("17", add_items{{"tea", "rum"}}).get().value();
    const auto last = rt.send("17", add_item{"tea"}).get().value();
    const auto again = [&](const receipt& stored, auto command) {
        send_options options;
        options.about.command_id = stored.command_id;
        const auto came = rt.send("17", std::move(command), options).get().value();
        REQUIRE(came.what == receipt::kind::already_stored);
        REQUIRE(same_place(came, stored));
    };
    again(first, add_items{{"tea", "rum"}});
    again(last, add_item{"tea"});
    REQUIRE(rt.status().rehydrations == 1); // the state was not read again for that
    REQUIRE(rt.journal().head() == 3);
}

// --- the same id, another command ------------------------------------------------------------------

namespace account {

struct deposit {
    int amount = 0;
    ANNALS_FIELDS(deposit, amount)
};
struct withdraw {
    int amount = 0;
    ANNALS_FIELDS(withdraw, amount)
};
struct moved {
    int amount = 0;
    ANNALS_EVENT(moved, "account.moved", amount)
};
struct account {
    static constexpr std::string_view name = "account";
    using command = std::variant<deposit, withdraw>;
    using event = std::variant<moved>;
    using decision = annals::decision<event>;
    int total = 0;
};
account::decision decide(const account&, const deposit& command) {
    return moved{command.amount};
}
account::decision decide(const account& state, const withdraw& command) {
    if (state.total < command.amount)
        return annals::reject("not enough");
    return moved{-command.amount};
}
void evolve(account& state, const moved& happened) {
    state.total += happened.amount;
}

} // namespace account

TEST_CASE("another command with the id of a stored one is refused, and told why") {
    const event_store store(GENERATE(keeping::in_memory, keeping::on_disk));
    const auto clock = std::make_shared<manual_clock>();
    auto with = store.settings();
    with.clock = clock;
    with.limits.idle_timeout = std::chrono::minutes(1);
    auto rt = runtime::open(std::move(with), host<account::account>).value();
    const auto first = rt.send("17", account::deposit{5}, as_command("x")).get().value();
    const auto look = [&] {
        const auto other = rt.send("17", account::withdraw{1}, as_command("x"));
        REQUIRE(said(other) == "invalid_argument");
        REQUIRE(mentions(other, "another type"));
        REQUIRE(mentions(other, first.command_id.to_string()));
        const auto changed = rt.send("17", account::deposit{6}, as_command("x"));
        REQUIRE(said(changed) == "invalid_argument");
        REQUIRE(mentions(changed, "other fields"));
        const auto again = rt.send("17", account::deposit{5}, as_command("x")).get().value();
        REQUIRE(again.what == receipt::kind::already_stored);
        REQUIRE(same_place(again, first));
    };
    look();
    clock->advance(std::chrono::minutes(2)); // from the log, the same
    REQUIRE(eventually(rt, [&] { return rt.status().passivations > 0; }));
    look();
    REQUIRE(rt.journal().head() == 1);
}

TEST_CASE("another command with the id of a stored one is refused after a restart") {
    const event_store store;
    {
        auto rt = runtime::open(store.settings(), host<account::account>).value();
        REQUIRE(said(rt.send("17", account::deposit{5}, as_command("x"))) == "stored");
    }
    auto rt = runtime::open(store.settings(), host<account::account>).value();
    REQUIRE(said(rt.send("17", account::withdraw{1}, as_command("x"))) == "invalid_argument");
    REQUIRE(said(rt.send("17", account::deposit{6}, as_command("x"))) == "invalid_argument");
    REQUIRE(said(rt.send("17", account::deposit{5}, as_command("x"))) == "already stored");
}

TEST_CASE("another command with the id of one on its way is refused at once") {
    auto log = std::make_shared<holding_journal>(make_memory_journal());
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    auto rt = runtime::open(std::move(with), host<account::account>).value();
    log->hold();
    const auto first = rt.send("17", account::deposit{5}, as_command("x"));
    REQUIRE(log->holds(1));
    REQUIRE(said(rt.send("17", account::withdraw{1}, as_command("x"))) == "invalid_argument");
    log->release();
    REQUIRE(said(first) == "stored");
}

TEST_CASE("a command that was stored without a fingerprint is known again by its id") {
    auto log = make_memory_journal();
    owned_commit old;
    old.stream = "account-17";
    old.about.command_id = as_command("x").about.command_id;
    old.command_named = true;
    old.events = {{"account.moved", to_bytes(account::moved{5})}};
    REQUIRE(append_and_wait(*log, {old}).at(0));
    auto with = event_store(keeping::in_memory).settings();
    with.journal = log;
    auto rt = runtime::open(std::move(with), host<account::account>).value();
    REQUIRE(said(rt.send("17", account::deposit{5}, as_command("x"))) == "already stored");
}

TEST_CASE("another command with the id that annals gave to a stored one is refused") {
    const event_store store;
    send_options same;
    const auto look = [&](runtime& rt) {
        REQUIRE(said(rt.send("17", account::withdraw{1}, same)) == "invalid_argument");
        REQUIRE(said(rt.send("17", account::deposit{6}, same)) == "invalid_argument");
        REQUIRE(said(rt.send("17", account::deposit{5}, same)) == "already stored");
    };
    {
        auto rt = runtime::open(store.settings(), host<account::account>).value();
        same.about.command_id = rt.send("17", account::deposit{5}).get().value().command_id;
        look(rt);
    }
    auto rt = runtime::open(store.settings(), host<account::account>).value();
    look(rt);
}

TEST_CASE("ids that annals gave are known however many commands with names lie between") {
    const event_store store;
    auto with = store.settings();
    with.limits.remembered_commands = 2;
    uuid first;
    {
        auto rt = open_shop(with);
        first = rt.send("17", add_item{"tea"}).get().value().command_id;
        for (int i = 0; i != 5; ++i)
            REQUIRE(said(rt.send("17", add_item{"rum"}, as_command(std::to_string(i)))) ==
                    "stored");
    }
    auto rt = open_shop(with);
    REQUIRE(said(rt.send("17", add_item{"milk"})) == "stored"); // before any named one
    send_options same;
    same.about.command_id = first;
    REQUIRE(said(rt.send("17", add_item{"tea"}, same)) == "already stored");
    REQUIRE(rt.journal().head() == 7);
}
