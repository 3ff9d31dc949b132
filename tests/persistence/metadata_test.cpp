#include "codec/metadata_codec.hpp"

#include "annals/journal.hpp"

#include "support/wire.hpp"

#include <catch2/catch.hpp>

#include <set>

namespace annals::test {
namespace {

metadata full() {
    metadata about;
    about.command_id = uuid::of_name("command");
    about.correlation_id = uuid::of_name("correlation");
    about.causation_id = uuid::of_name("cause");
    about.actor = "grace";
    about.time = timestamp{std::chrono::seconds{1'291'191'960}};
    about.extra = {{"device", "till 4"}, {"ip", "::1"}};
    return about;
}

bytes more_of(const metadata& about) {
    bytes out;
    encode_more_metadata(about, out);
    return out;
}

/// The event that a journal would give back for this metadata. `more` must outlive it.
stored_event event_with(const metadata& about, const bytes& more) {
    stored_event event;
    event.stream = "cart-17";
    event.type = "cart.opened";
    event.version = 1;
    event.position = 9;
    event.time = about.time;
    event.command_id = about.command_id;
    event.more_metadata = more;
    return event;
}

TEST_CASE("metadata comes back") {
    const auto about = full();
    const auto more = more_of(about);
    REQUIRE(event_with(about, more).read_metadata().value() == about);
}

TEST_CASE("metadata comes back whichever of it is empty") {
    for (unsigned present = 0; present != 16; ++present) {
        auto about = full();
        if (!(present & 1U))
            about.correlation_id = about.command_id;
        if (!(present & 2U))
            about.causation_id = {};
        if (!(present & 4U))
            about.actor.clear();
        if (!(present & 8U))
            about.extra.clear();
        const auto more = more_of(about);
        REQUIRE(more.empty() == (present == 0));
        REQUIRE(event_with(about, more).read_metadata().value() == about);
    }
}

TEST_CASE("a correlation id that is not given means the command id") {
    auto about = full();
    about.correlation_id = {};
    const auto read = event_with(about, more_of({})).read_metadata().value();
    REQUIRE(read.correlation_id == about.command_id);
}

TEST_CASE("a fingerprint is written before the other metadata, and read without it") {
    const command_fingerprint print{0x04030201, 0x08070605};
    bytes alone;
    encode_more_metadata({}, alone, print);
    REQUIRE(alone ==
            wire({0x81, 0xa7, 'c', 'o', 'm', 'm', 'a', 'n', 'd', 0xc4, 8, 1, 2, 3, 4, 5, 6, 7, 8}));
    REQUIRE(decode_fingerprint(alone) == print);
    bytes with_all;
    encode_more_metadata(full(), with_all, print);
    REQUIRE(decode_fingerprint(with_all) == print);
    REQUIRE(event_with(full(), with_all).read_metadata().value() == full());
    REQUIRE(event_with(full(), with_all).fingerprint() == print);
}

TEST_CASE("metadata without a fingerprint, or cut short, has none") {
    bytes more;
    encode_more_metadata({}, more, {1, 2});
    while (!more.empty()) {
        more.pop_back();
        REQUIRE_FALSE(decode_fingerprint(more).known());
    }
    REQUIRE_FALSE(decode_fingerprint(more_of(full())).known());
    auto about = full();
    about.extra = {{"command", "12345678"}};
    REQUIRE_FALSE(decode_fingerprint(more_of(about)).known());
}

TEST_CASE("metadata is written behind what is there") {
    auto out = wire({1, 2});
    encode_more_metadata({}, out);
    REQUIRE(out == wire({1, 2}));
    encode_more_metadata(full(), out);
    REQUIRE(bytes(out.begin() + 2, out.end()) == more_of(full()));
}

TEST_CASE("unknown metadata is ignored") {
    const auto more = to_bytes(std::map<std::string, std::string>{{"actor", "ada"}, {"new", "x"}});
    metadata about;
    about.command_id = uuid::of_name("command");
    REQUIRE(event_with(about, more).read_metadata().value().actor == "ada");
}

TEST_CASE("bytes that are not metadata are refused with the event's position") {
    for (const auto& more :
         {wire({0x81}), wire({0x05}), wire({0x81, 0xa5, 'a', 'c', 't', 'o', 'r', 7}),
          to_bytes(std::map<std::string, bytes>{{"causation", bytes(15)}})}) {
        const auto read = event_with(full(), more).read_metadata();
        REQUIRE_FALSE(read);
        REQUIRE(read.error().code == errc::undecodable);
        REQUIRE(read.error().actual == 9);
        REQUIRE_THAT(read.error().message, Catch::StartsWith("metadata: "));
    }
}

TEST_CASE("an event's id depends on stream, version and command, and on nothing else") {
    const auto event = event_with(full(), {});
    auto same = event;
    same.position = 1'000;
    same.type = "another";
    same.time = {};
    REQUIRE(same.event_id() == event.event_id());

    std::set<uuid> ids{event.event_id()};
    for (stream_version v = 2; v != 100; ++v) {
        auto other = event;
        other.version = v;
        ids.insert(other.event_id());
    }
    auto other_stream = event;
    other_stream.stream = "cart-18";
    ids.insert(other_stream.event_id());
    auto other_command = event;
    other_command.command_id = uuid::of_name("other");
    ids.insert(other_command.event_id());
    REQUIRE(ids.size() == 101);
    // Pinned: others keep these ids.
    REQUIRE(event.event_id().to_string() == "07c63900-e108-8f85-bfea-5c8c8c0b96c2");
}

TEST_CASE("a category is what comes before the first dash") {
    REQUIRE(category_of("cart-17") == "cart");
    REQUIRE(category_of("cart-17-b") == "cart");
    REQUIRE(category_of("cart") == "cart");
    REQUIRE(category_of("-17") == "");
    REQUIRE(category_of("") == "");
}

TEST_CASE("a filter passes events of a listed type in a listed category") {
    REQUIRE(event_filter{}.matches("cart-1", "opened"));
    REQUIRE(event_filter{}.matches_all());
    const event_filter both{{"opened", "closed"}, {"cart"}};
    REQUIRE_FALSE(both.matches_all());
    REQUIRE(both.matches("cart-1", "closed"));
    REQUIRE_FALSE(both.matches("cart-1", "emptied"));
    REQUIRE_FALSE(both.matches("carts-1", "closed"));
    REQUIRE(event_filter{{}, {""}}.matches("-1", "any"));
}

TEST_CASE("an expected version says what it expects") {
    REQUIRE(expected_version::any().to_string() == "any version");
    REQUIRE(expected_version::stream_exists().to_string() == "an existing stream");
    REQUIRE(expected_version::no_stream().to_string() == "version 0");
    REQUIRE(expected_version::exactly(3).to_string() == "version 3");
}

} // namespace
} // namespace annals::test
