#pragma once

// What a test does with a journal, said in a few words: make a commit, append it, read it back.

#include "annals/journal.hpp"

#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace annals::test {

inline bytes payload(std::string_view text) {
    const auto* from = reinterpret_cast<const std::byte*>(text.data());
    return {from, from + text.size()};
}

/// The id of the command with this name; different names, different ids.
inline uuid command(const std::string& name) {
    return uuid::of_name("command " + name);
}

/// A commit of command `name` that holds one event of each type; their payloads say which they are.
inline owned_commit commit_of(const std::string& name, std::string stream,
                              expected_version expected = expected_version::any(),
                              std::vector<std::string> types = {"cart.item_added"}) {
    owned_commit made;
    made.stream = std::move(stream);
    made.expected = expected;
    made.about.command_id = command(name);
    made.about.time = timestamp{std::chrono::seconds{1'291'191'960}};
    for (auto& type : types) {
        const auto number = std::to_string(made.events.size() + 1);
        made.events.push_back({std::move(type), payload(name + "/" + number)});
    }
    return made;
}

inline append_result append_one(journal& to, owned_commit one) {
    std::vector<owned_commit> commits;
    commits.push_back(std::move(one));
    return append_and_wait(to, std::move(commits)).at(0);
}

inline std::vector<append_result> append_all(journal& to, std::vector<owned_commit> commits) {
    return append_and_wait(to, std::move(commits));
}

/// A receipt in the form of three values to compare, or an error's code and actual version.
struct outcome {
    log_position position = 0;
    stream_version version = 0;
    bool already_stored = false;
    errc error{};
    std::uint64_t actual = 0;

    friend bool operator==(const outcome&, const outcome&) = default;
    friend std::ostream& operator<<(std::ostream& to, const outcome& o) {
        if (o.error != errc{})
            return to << annals::to_string(o.error) << " (actual " << o.actual << ")";
        return to << "version " << o.version << " at position " << o.position
                  << (o.already_stored ? " (already stored)" : "");
    }
};

inline outcome outcome_of(const append_result& result) {
    if (result)
        return {result->position, result->version, result->already_stored, errc{}, 0};
    return {0, 0, false, result.error().code, result.error().actual};
}

inline outcome stored(log_position position, stream_version version) {
    return {position, version, false, errc{}, 0};
}
inline outcome already_stored(log_position position, stream_version version) {
    return {position, version, true, errc{}, 0};
}
inline outcome refused(errc code, std::uint64_t actual = 0) {
    return {0, 0, false, code, actual};
}

inline std::vector<outcome> outcomes_of(const std::vector<append_result>& results) {
    std::vector<outcome> all;
    for (const auto& each : results)
        all.push_back(outcome_of(each));
    return all;
}

/// An event as the test remembers it after its page is gone.
struct seen_event {
    log_position position;
    stream_version version;
    std::string stream;
    std::string type;
    std::string payload;
    uuid command_id;
    bool ends_commit;

    friend bool operator==(const seen_event&, const seen_event&) = default;
};

inline seen_event seen(const stored_event& event) {
    return {event.position,
            event.version,
            std::string(event.stream),
            std::string(event.type),
            {reinterpret_cast<const char*>(event.payload.data()), event.payload.size()},
            event.command_id,
            event.ends_commit};
}

inline void see_all(const event_page& page, std::vector<seen_event>& into) {
    for (const auto& event : page.events)
        into.push_back(seen(event));
}

/// Every event after `after` that passes `filter`, page by page. A journal's error is thrown.
inline std::vector<seen_event> read_log(const journal& from, log_position after = 0,
                                        const event_filter& filter = {}, std::size_t max = 1'000) {
    std::vector<seen_event> all;
    for (;;) {
        const auto page = from.read_all(after, max, filter).value();
        see_all(page, all);
        after = page.through;
        if (page.at_end)
            return all;
    }
}

/// Every event of `stream`, upwards from `version`.
inline std::vector<seen_event> read_upwards(const journal& from, std::string_view stream,
                                            stream_version version = 1) {
    std::vector<seen_event> all;
    for (;;) {
        const auto page = from.read_stream(stream, version, 1'000).value();
        see_all(page, all);
        if (page.at_end)
            return all;
        version = all.back().version + 1;
    }
}

inline std::vector<std::string> payloads_of(const std::vector<seen_event>& events) {
    std::vector<std::string> all;
    for (const auto& event : events)
        all.push_back(event.payload);
    return all;
}

inline std::vector<stream_version> versions_of(const std::vector<stored_event>& events) {
    std::vector<stream_version> all;
    for (const auto& event : events)
        all.push_back(event.version);
    return all;
}

/// Something one thread counts up and another waits for.
class counter {
public:
    void add() {
        const std::lock_guard lock(mutex_);
        ++count_;
        changed_.notify_all();
    }
    /// Whether the count reaches `wanted`. Gives up after half a minute, which no test should need.
    [[nodiscard]] bool reaches(std::size_t wanted) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds{30}, [&] { return count_ >= wanted; });
    }
    [[nodiscard]] std::size_t count() const {
        const std::lock_guard lock(mutex_);
        return count_;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t count_ = 0;
};

} // namespace annals::test
