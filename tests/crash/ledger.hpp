#pragma once

// The domain of the kill test, known to the program that is killed and to the test that looks at
// what it leaves behind.

#include "annals/annals.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace ledger {

/// The entry with this number; each account is given 1, 2, 3, ...
struct post {
    std::uint64_t number = 0;
};

/// An entry is one commit of one to three of these.
struct part_posted {
    std::uint64_t number = 0;
    std::uint64_t part = 0;
    std::uint64_t parts = 0;
    ANNALS_EVENT(part_posted, "account.part_posted", number, part, parts)
};

struct account {
    static constexpr std::string_view name = "account";
    using command = std::variant<post>;
    using event = std::variant<part_posted>;
    using decision = annals::decision<event>;
    std::uint64_t last = 0;
};

inline std::uint64_t parts_of(std::uint64_t number) {
    return 1 + number % 3;
}
/// Refuses what is out of order: an entry lost, doubled or overtaken would be noticed here first.
inline account::decision decide(const account& state, const post& command) {
    if (command.number != state.last + 1)
        return annals::reject("out of order", std::to_string(command.number) + " after " +
                                                  std::to_string(state.last));
    std::vector<account::event> posted;
    for (std::uint64_t part = 1; part <= parts_of(command.number); ++part)
        posted.emplace_back(part_posted{command.number, part, parts_of(command.number)});
    return posted;
}
inline void evolve(account& state, const part_posted& happened) {
    state.last = happened.number;
}

struct totals;
struct all_totals {
    using view = totals;
};
struct totals {
    static constexpr std::string_view name = "totals";
    using query = std::variant<all_totals>;
    using event = std::variant<part_posted>;
    std::map<std::string, std::uint64_t> parts;
};
inline void evolve(totals& view, const part_posted&, const annals::logged_context& context) {
    ++view.parts[std::string(context.id)];
}
inline std::map<std::string, std::uint64_t> answer(const totals& view, const all_totals&) {
    return view.parts;
}

inline constexpr std::uint64_t threads = 3;
inline constexpr std::uint64_t accounts_per_thread = 3;

inline std::string account_id(std::uint64_t account) {
    return "a" + std::to_string(account);
}
/// The command id that names this entry, whoever sends it and however often.
inline annals::uuid id_of(std::uint64_t account, std::uint64_t number) {
    return annals::uuid::of_name(account_id(account) + "/" + std::to_string(number));
}

/// Few residents and few cached streams, so that passivation and flushing happen all the time.
inline annals::config settings(const std::filesystem::path& directory, std::size_t cached_streams) {
    annals::config with;
    with.directory = directory;
    with.store.max_store_bytes = std::size_t{1} << 30;
    with.store.cached_streams = cached_streams;
    with.actor_threads = 2;
    with.limits.max_resident_aggregates = 4;
    return with;
}

} // namespace ledger
