#pragma once

// What is true of the views and of the notes, made from the log alone, with none of the code that
// makes them.

#include "crash/read_side.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace annals::test {

/// All moves of a log, which only grows.
class moved_log {
public:
    /// Reads what has been added.
    void read(const journal& log) {
        for (bool more = true; more;) {
            const auto page = log.read_all(head(), 4'000).value();
            for (const auto& event : page.events) {
                if (event.position != head() + 1)
                    throw std::runtime_error("the log has a gap");
                const auto happened = from_bytes<read_side::moved>(event.payload).value();
                moves_.push_back({std::string(event.stream.substr(event.category().size() + 1)),
                                  happened.from, happened.to, event.event_id()});
            }
            more = !page.at_end;
        }
    }
    [[nodiscard]] log_position head() const noexcept { return moves_.size(); }
    [[nodiscard]] const uuid& event_id(log_position of) const { return moves_.at(of - 1).id; }

    // -- views of the moves after `since`, up to `done` -------------------------------------------------

    [[nodiscard]] read_side::shelves_rows shelves(log_position since, log_position done,
                                                  std::uint64_t version) const {
        read_side::shelves_rows all;
        each(since, done, [&](log_position, const move& one) {
            auto& where = all.parcels[one.parcel];
            where.shelf = one.to;
            ++where.moves;
        });
        for (const auto& [id, where] : all.parcels)
            all.by_shelf[{where.shelf, id}] = where.moves;
        if (done > since)
            all.totals = {{"moved", (done - since) * version}, {"unit", version}};
        return all;
    }
    [[nodiscard]] read_side::routes_rows routes(log_position since, log_position done) const {
        constexpr auto latest = read_side::routes::latest_count;
        read_side::routes_rows all;
        each(since, done, [&](log_position position, const move& one) {
            ++all.between[{one.from, one.to}];
            if (position + latest > done)
                all.latest[position] = one.parcel;
        });
        return all;
    }
    [[nodiscard]] read_side::arrivals arrivals(log_position since, log_position done) const {
        read_side::arrivals all;
        each(since, done,
             [&](log_position, const move& one) { ++all.by_parcel[one.parcel][one.to]; });
        return all;
    }

private:
    struct move {
        std::string parcel;
        std::uint32_t from;
        std::uint32_t to;
        uuid id;
    };
    template <class Use>
    void each(log_position since, log_position done, Use&& use) const {
        for (log_position position = since + 1; position <= done; ++position)
            use(position, moves_.at(position - 1));
    }

    std::vector<move> moves_;
};

/// The notes that a reaction has written, held against its promises.
class noted_deliveries {
public:
    /// Takes the lines that were added. `begun_at_most`: nothing behind it can have been begun before
    /// them. Empty text: nothing wrong.
    std::string take(const std::vector<std::string>& lines, const moved_log& log,
                     log_position begun_at_most) {
        for (const auto& line : lines)
            if (auto fault = take(line, log, begun_at_most); !fault.empty())
                return "note \"" + line + "\": " + fault;
        return "";
    }
    /// Everything up to here was delivered.
    [[nodiscard]] log_position delivered() const noexcept { return delivered_; }
    [[nodiscard]] std::size_t redelivered() const noexcept { return redelivered_; }

private:
    std::string take(const std::string& line, const moved_log& log, log_position begun_at_most) {
        std::istringstream words(line);
        log_position position = 0;
        std::string id;
        bool again = false;
        words >> position >> id >> again;
        if (!words || position == 0 || position > log.head())
            return "there is no such event in the log";
        if (id != log.event_id(position).to_string())
            return "another event's id";
        if (position > delivered_ + 1)
            return "events were left out: delivered were " + std::to_string(delivered_);
        if (again && position > begun_at_most)
            return "flagged, though only " + std::to_string(begun_at_most) + " were begun";
        redelivered_ += again ? 1 : 0;
        if (position == delivered_ + 1)
            ++delivered_;
        else if (!again)
            return "delivered again without saying so";
        return "";
    }

    log_position delivered_ = 0;
    std::size_t redelivered_ = 0;
};

} // namespace annals::test
