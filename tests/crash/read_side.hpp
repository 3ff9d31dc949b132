#pragma once

// The domain of the test that kills readers: parcels that are moved between shelves, three views of
// where they are, and a reaction that notes each move in a file. Known to the program that is killed
// and to the test that looks at what it leaves behind.

#include "annals/annals.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include <fcntl.h>
#include <unistd.h>

namespace read_side {

inline constexpr std::uint32_t parcel_count = 12;
inline constexpr std::uint32_t shelf_count = 8;
inline std::string parcel_id(std::uint32_t parcel) {
    return "p" + std::to_string(parcel);
}

// --- the log ---------------------------------------------------------------------------------------

/// From wherever it is; twice is two moves in one commit.
struct move {
    std::uint32_t to = 0;
    bool twice = false;
};
struct moved {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    ANNALS_EVENT(moved, "parcel.moved", from, to)
};
struct parcel {
    static constexpr std::string_view name = "parcel";
    using command = std::variant<move>;
    using event = std::variant<moved>;
    using decision = annals::decision<event>;
    std::uint32_t at = 0;
};
inline parcel::decision decide(const parcel& state, const move& command) {
    std::vector<parcel::event> moves{moved{state.at, command.to}};
    if (command.twice)
        moves.emplace_back(moved{command.to, (command.to + 1) % shelf_count});
    return moves;
}
inline void evolve(parcel& state, const moved& happened) {
    state.at = happened.to;
}

// --- a stored view that comes in several versions ----------------------------------------------------

struct place {
    std::uint32_t shelf = 0;
    std::uint64_t moves = 0; ///< that the view has seen
    ANNALS_FIELDS(place, shelf, moves)
    friend bool operator==(const place&, const place&) = default;
};
/// What the view has, as values.
struct shelves_rows {
    std::map<std::string, place> parcels;
    std::map<std::pair<std::uint32_t, std::string>, std::uint64_t> by_shelf;
    std::map<std::string, std::uint64_t> totals;
    friend bool operator==(const shelves_rows&, const shelves_rows&) = default;
};

template <std::uint32_t Version>
struct shelves;
template <std::uint32_t Version>
struct all_shelves {
    using view = shelves<Version>;
};
/// Where each parcel is, what is on each shelf, and how far all went: each version counts in a unit
/// of its own, and says so.
template <std::uint32_t Version>
struct shelves {
    static constexpr std::string_view name = "shelves";
    static constexpr std::uint32_t version = Version;
    using event = std::variant<moved>;
    using query = std::variant<all_shelves<Version>>;
    annals::stored_map<std::string, place> parcels;
    /// What is on a shelf, with its number of moves: a row leaves one place and enters another.
    annals::stored_map<std::pair<std::uint32_t, std::string>, std::uint64_t> by_shelf;
    annals::stored_map<std::string, std::uint64_t> totals;
    ANNALS_FIELDS(shelves, parcels, by_shelf, totals)
};
template <std::uint32_t Version>
void evolve(shelves<Version>& view, const moved& happened, const annals::logged_context& context) {
    const std::string id(context.id);
    auto at = view.parcels.find(id);
    if (at)
        view.by_shelf.erase({at->shelf, id});
    place now = at.value_or(place{});
    now.shelf = happened.to;
    ++now.moves;
    view.parcels.put(id, now);
    view.by_shelf.put({now.shelf, id}, now.moves);
    view.totals.change("moved", [](std::uint64_t& units) { units += Version; });
    view.totals.put("unit", Version);
}
template <std::uint32_t Version>
shelves_rows answer(const shelves<Version>& view, const all_shelves<Version>&) {
    shelves_rows all;
    for (const auto& [id, where] : view.parcels.all())
        all.parcels.emplace(id, where);
    for (const auto& [at, moves] : view.by_shelf.all())
        all.by_shelf.emplace(at, moves);
    for (const auto& [what, units] : view.totals.all())
        all.totals.emplace(what, units);
    return all;
}

// --- a stored view with rows that come and go --------------------------------------------------------

struct routes_rows {
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> between;
    std::map<std::uint64_t, std::string> latest;
    friend bool operator==(const routes_rows&, const routes_rows&) = default;
};
struct routes;
struct all_routes {
    using view = routes;
};
/// How often each way was gone, and the moves at the last `latest_count` positions.
struct routes {
    static constexpr std::string_view name = "routes";
    static constexpr std::uint64_t latest_count = 200;
    using event = std::variant<moved>;
    using query = std::variant<all_routes>;
    annals::stored_map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> between;
    annals::stored_map<std::uint64_t, std::string> latest;
    ANNALS_FIELDS(routes, between, latest)
};
inline void evolve(routes& view, const moved& happened, const annals::logged_context& context) {
    view.between.change({happened.from, happened.to}, [](std::uint64_t& times) { ++times; });
    view.latest.put(context.position, std::string(context.id));
    if (context.position > routes::latest_count)
        view.latest.erase(context.position - routes::latest_count);
}
inline routes_rows answer(const routes& view, const all_routes&) {
    routes_rows all;
    for (const auto& [way, times] : view.between.all())
        all.between.emplace(way, times);
    for (const auto& [position, id] : view.latest.all())
        all.latest.emplace(position, id);
    return all;
}

// --- a view in memory ----------------------------------------------------------------------------------

struct arrivals;
struct all_arrivals {
    using view = arrivals;
};
/// How often each parcel came to each shelf.
struct arrivals {
    static constexpr std::string_view name = "arrivals";
    using event = std::variant<moved>;
    using query = std::variant<all_arrivals>;
    std::map<std::string, std::map<std::uint32_t, std::uint64_t>> by_parcel;
    ANNALS_FIELDS(arrivals, by_parcel)
    friend bool operator==(const arrivals&, const arrivals&) = default;
};
inline void evolve(arrivals& view, const moved& happened, const annals::logged_context& context) {
    ++view.by_parcel[std::string(context.id)][happened.to];
}
inline arrivals answer(const arrivals& view, const all_arrivals&) {
    return view;
}

// --- a reaction ------------------------------------------------------------------------------------------

/// Writes a line for each move: position, event id, and 1 if it may have been delivered before. One
/// write(2) for each line, so that only the last one of a run can be torn.
struct notes {
    static constexpr std::string_view name = "notes";
    using event = std::variant<moved>;
    int file = -1;
};
inline annals::result<void> react(notes& to, const moved&, const annals::delivery& about) {
    const std::string line = std::to_string(about.position) + ' ' + about.event_id.to_string() +
                             (about.redelivered ? " 1\n" : " 0\n");
    if (::write(to.file, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        return annals::error{annals::errc::io_error, "the notes cannot be written"};
    return {};
}

// --- the program's runtime -------------------------------------------------------------------------------

/// Shelves come in versions 1 to this.
inline constexpr std::uint32_t versions = 3;
inline constexpr std::uint32_t version_after(std::uint32_t version) {
    return version % versions + 1;
}

/// Small pages, so that a killed projection is anywhere between them.
inline annals::config settings(const std::filesystem::path& directory) {
    annals::config with;
    with.directory = directory;
    with.store.max_store_bytes = std::size_t{1} << 30;
    with.views.max_store_bytes = std::size_t{1} << 30;
    with.actor_threads = 2;
    with.limits.page_events = 64;
    return with;
}

template <std::uint32_t Version>
annals::result<annals::runtime> open(const std::filesystem::path& directory, int notes_file) {
    return annals::runtime::open(
        settings(directory), annals::host<parcel>, annals::host<shelves<Version>>,
        annals::host<routes>, annals::host<arrivals>({.save_every = 300}),
        annals::host_reaction(notes{notes_file}, annals::reaction_start::beginning));
}

/// Calls `use.operator()<Version>()` with the version that is chosen as the program runs.
template <class Use>
decltype(auto) with_version(std::uint32_t version, Use&& use) {
    if (version == 1)
        return use.template operator()<1>();
    if (version == 2)
        return use.template operator()<2>();
    return use.template operator()<3>();
}

} // namespace read_side
