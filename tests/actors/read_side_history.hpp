#pragma once

#include "read_side_views.hpp"
#include "simulation.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace read_side {

using simulation::world;
using action = annals::control_request::action;
using positions = std::set<log_position>;

/// A log and its projections through several lives of their process, in which a seed chooses what is
/// asked, what is ordered and what fails; each answer is held against the log.
class history {
public:
    struct conditions {
        unsigned failing_percent = 0; ///< of the events, for each projection
        unsigned faulty_writes = 0;   ///< of a hundred
        annals::failure_policy::last_resort then = annals::failure_policy::last_resort::set_aside;
        unsigned retries = 0;
        std::size_t stored_before = 0;     ///< events in the log before the first opening
        std::size_t unlisted_percent = 20; ///< of the commands: events that no projection lists
        bool rows_only = false;            ///< only the stored view is asked and ordered about
    };

    history(std::uint32_t seed, const conditions& how)
        : how_(how),
          world_(seed, limits(seed), {}, simulation::disk::stepped) {
        outside().begin(seed, how.failing_percent);
        world_.store_fault = [this]() -> std::optional<annals::error> {
            if (world_.below(100) >= how_.faulty_writes)
                return std::nullopt;
            return annals::error{annals::errc::disk_full, "simulated"};
        };
        world_.on_write = [this] { note_lists(); };
        for (std::size_t i = 0; i != how.stored_before; ++i)
            append_outside();
        world_.die();
        open();
    }

    // --- what happens ------------------------------------------------------------------------------

    void go_on(std::size_t most_steps = 8) {
        world_.step_some(most_steps);
        harvest();
    }
    void send() {
        const auto to = std::to_string(world_.below(3));
        if (world_.below(100) < how_.unlisted_percent)
            receipts_.push_back(world_.send(to, shake{}));
        else
            receipts_.push_back(world_.send(to, note{static_cast<int>(1 + world_.below(9))}));
    }
    /// By another writer of the same log.
    void append_outside() {
        annals::owned_commit one;
        one.stream = "box-" + std::to_string(world_.below(4));
        one.about.command_id = annals::uuid::of_name("outside-" + std::to_string(++outside_));
        if (world_.below(4) == 0)
            one.events = {{"box.shaken", annals::to_bytes(shaken{})}};
        else
            one.events = {{"box.noted", annals::to_bytes(noted{1})}};
        annals::append(world_.journal->stored(), {one},
                       [](const auto& results) { REQUIRE(results[0].has_value()); });
    }
    void ask();
    /// At the status of a view, or waits until it reaches a position: no later answer may be behind what
    /// that tells.
    void look();
    void ask_together();
    void watch();
    /// Something that operators may ask for, of one projection.
    void order(std::vector<action> among);
    void pass(std::chrono::milliseconds by) { world_.pass(by); }
    /// The process dies and another one opens what it left.
    void crash(bool raised_version = false);
    void run_until_quiet();
    /// Nothing fails any more, all goes on, and in the end all is as the log says.
    void settle();

    [[nodiscard]] std::size_t below(std::size_t bound) { return world_.below(bound); }
    [[nodiscard]] world& in() { return world_; }

    struct tally {
        std::size_t answers = 0, joint = 0, updates = 0, ordered = 0, done = 0, listed = 0;
        std::size_t failures = 0, deliveries = 0, redeliveries = 0, refused = 0;
        std::size_t looks = 0, reached = 0;
    };
    [[nodiscard]] const tally& count() const { return count_; }

private:
    /// Of `names`, those that answer.
    [[nodiscard]] std::size_t one_that_answers() { return how_.rows_only ? 2 : world_.below(3); }
    static constexpr std::array<const char*, 5> names = {"bare", "kept", "rows", "spread", "told"};

    /// What may be true of one projection, from what was asked of it.
    struct subject {
        positions resets = {0}; ///< where it may ever have begun
        positions begins = {0}; ///< where it may begin now
        positions listed;       ///< set aside at some time, durably
        positions given_up;     ///< or may have been
        bool replayed = false;  ///< what is replayed into rows is out of order
        std::uint64_t era = 0;  ///< grows with each reset, asked for or done
        bool was_reset = false;
        bool resetting = false; ///< one reset at a time, so that their order is known
        bool steady = true;     ///< no answer from before a reset is on its way
        log_position floor = 0; ///< in this era: what answers, the status and `reaches` told
        std::optional<bool> paused = false; ///< durably; empty: not known
        bool pausing_at_once = false;       ///< in an order that is not known
        std::size_t pausing = 0;            ///< orders to pause or to resume that are not answered
    };
    struct asked {
        std::string view;
        log_position at_least;
        log_position floor;
        std::uint64_t era;
        bool by_this_version; ///< the status said so when it was asked
        annals::future<taken> answer;
    };
    struct ordered {
        std::string of;
        action what;
        log_position position;
        annals::future<log_position> answer;
    };
    using joint = annals::joint_answer<taken_by<kept<1>>, taken_by<bare<1>>>;
    struct watched {
        std::string view;
        std::shared_ptr<log_position> last;
        std::shared_ptr<taken> value;
        std::shared_ptr<bool> over;
        std::uint64_t era;
        annals::live_query handle;
    };

    static annals::engine_limits limits(std::uint32_t seed) {
        annals::engine_limits made;
        made.page_events = 1 + seed % 7;
        return made;
    }
    void open();
    template <std::uint32_t Version>
    [[nodiscard]] std::vector<annals::hosted> types() const;
    template <class V>
    void ask_view();
    template <std::uint32_t Version>
    void ask_both();
    template <class V>
    void watch_view();
    void harvest();
    void told(const std::string& view, std::uint64_t era, log_position at);
    void answered(const asked& one);
    void done(const ordered& one);
    void check(const std::string& view, const taken& came, log_position at);
    void check_deliveries();
    void check_at_end();
    void read_log();
    void note_lists();
    [[nodiscard]] positions list_of(const std::string& name) const;
    [[nodiscard]] annals::projection_status status(const std::string& name);

    conditions how_;
    std::uint32_t version_ = 1;
    std::size_t outside_ = 0;
    std::map<log_position, std::string>
        wanted_; ///< the log's events that projections want: streams
    log_position read_ = 0;
    log_position from_now_ = 0;
    log_position last_receipt_ = 0;
    std::map<std::string, subject> subjects_;
    std::vector<annals::future<annals::receipt>> receipts_;
    std::vector<asked> asked_;
    std::vector<ordered> ordered_;
    std::vector<std::pair<log_position, annals::future<joint>>> joint_;
    std::vector<watched> watched_;
    std::map<std::string, std::size_t> deliveries_checked_;
    tally count_;
    world world_; ///< last: while it ends, it still tells the rest
};

} // namespace read_side

#include "read_side_history_checks.hpp"
#include "read_side_history_impl.hpp"
