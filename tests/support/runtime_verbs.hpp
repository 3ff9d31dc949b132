#pragma once

// What a test does with a whole runtime, said in a few words.

#include "annals/annals.hpp"
#include "annals/memory_journal.hpp"
#include "support/manual_clock.hpp"
#include "support/shop.hpp"
#include "support/temporary_directory.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace annals::test {

/// Where a runtime keeps its events.
enum class keeping { in_memory, on_disk };

/// A place for one runtime's events. On disk a runtime can be opened there again and again.
class event_store {
public:
    explicit event_store(keeping how = keeping::on_disk) : how_(how) {}

    [[nodiscard]] config settings() const {
        config with;
        with.actor_threads = 2;
        with.store.max_store_bytes = std::size_t{1} << 30;
        if (how_ == keeping::in_memory)
            with.journal = make_memory_journal();
        else
            with.directory = directory_.path() / "shop.db";
        return with;
    }
    [[nodiscard]] std::filesystem::path path() const { return directory_.path() / "shop.db"; }

private:
    keeping how_;
    temporary_directory directory_;
};

/// The carts, what is in them, and how often something was taken out.
inline runtime open_shop(config with) {
    return runtime::open(std::move(with), host<shop::cart>, host<shop::demand>,
                         host<shop::removals>)
        .value();
}
inline runtime open_shop() {
    return open_shop(event_store(keeping::in_memory).settings());
}

// --- how a request ended, as text to compare -------------------------------------------------------

inline std::string said(const annals::outcome<receipt>& answer) {
    if (answer.is_rejected())
        return "rejected: " + answer.rejection().code;
    if (answer.is_error())
        return std::string(to_string(answer.error().code));
    switch (answer->what) {
    case receipt::kind::stored:
        return "stored";
    case receipt::kind::already_stored:
        return "already stored";
    case receipt::kind::nothing_to_do:
        return "nothing to do";
    }
    return "?";
}
inline std::string said(const annals::outcome<int>& answer) {
    if (answer.is_rejected())
        return "rejected: " + answer.rejection().code;
    return answer.is_error() ? std::string(to_string(answer.error().code))
                             : std::to_string(*answer);
}
/// Waits for the answer; "no answer" if it does not come within half a minute.
template <class T>
std::string said(const future<T>& coming) {
    const auto answer = coming.get_for(std::chrono::seconds(30));
    return answer ? said(*answer) : "no answer";
}

/// The sentence of an error; what was said otherwise.
template <class T>
std::string message_of(const future<T>& coming) {
    const auto answer = coming.get();
    return answer.is_error() ? answer.error().message : said(answer);
}
template <class T>
bool mentions(const future<T>& coming, std::string_view text) {
    return message_of(coming).find(text) != std::string::npos;
}

// --- options -----------------------------------------------------------------------------------------

inline send_options as_command(std::string_view command) {
    send_options options;
    options.about.command_id = uuid::of_name(command);
    return options;
}
inline send_options within(std::chrono::milliseconds timeout, send_options options = {}) {
    options.timeout = timeout;
    return options;
}

// --- time -------------------------------------------------------------------------------------------

/// Lets the runtime look at its clock now, though no real time has passed: a deadline long gone is
/// earlier than all others.
inline void look_at_clock(runtime& rt) {
    (void)rt.send("who looks at the clock", shop::run_inside{}, within(-std::chrono::hours(1)))
        .get();
}
inline void let_pass(std::chrono::milliseconds time, manual_clock& clock, runtime& rt) {
    clock.advance(time);
    look_at_clock(rt);
}

/// Whether `happens` comes true while the runtime goes on answering. Half a minute of patience.
template <class Predicate>
[[nodiscard]] bool eventually(runtime& rt, Predicate happens) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!happens()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        look_at_clock(rt);
    }
    return true;
}

inline projection_status status_of(const runtime& rt, std::string_view view) {
    for (const auto& each : rt.status().projections)
        if (each.name == view)
            return each;
    throw std::runtime_error("no view " + std::string(view));
}

// --- history ----------------------------------------------------------------------------------------

/// The cart as its stored events make it.
inline shop::cart stored_cart(const journal& log, std::string_view id) {
    const auto state = state_at<shop::cart>(log, id, ~stream_version{0}).value();
    return state.value_or(shop::cart{});
}

/// Appends an event to a stream past the runtime, as another writer would.
template <event E>
append_result append_outside(journal& to, std::string stream, const E& happened,
                             expected_version expected = expected_version::any()) {
    owned_commit one;
    one.stream = std::move(stream);
    one.expected = expected;
    one.about.command_id = random_ids()->next();
    one.events.push_back({std::string(event_name<E>()), to_bytes(happened)});
    std::vector<owned_commit> commits;
    commits.push_back(std::move(one));
    return append_and_wait(to, std::move(commits)).at(0);
}
/// The same for bytes that no event type vouches for.
inline append_result append_raw(journal& to, std::string stream, std::string type,
                                std::string_view text) {
    owned_commit one;
    one.stream = std::move(stream);
    one.about.command_id = random_ids()->next();
    const auto* from = reinterpret_cast<const std::byte*>(text.data());
    one.events.push_back({std::move(type), bytes(from, from + text.size())});
    std::vector<owned_commit> commits;
    commits.push_back(std::move(one));
    return append_and_wait(to, std::move(commits)).at(0);
}

} // namespace annals::test
