#pragma once

#include "annals/host_stored.hpp"
#include "row_progress.hpp"
#include "row_session.hpp"
#include "stored_sink.hpp"

#include "support/stepped_executor.hpp"
#include "support/stepped_projection_store.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// A log, a stored view of it, and processes that fold the one into the other and may die.
namespace annals::test {

struct paid_in {
    std::string account;
    std::int64_t amount = 0; ///< less than 0: nobody can fold it
    ANNALS_EVENT(paid_in, "bank.paid_in", account, amount)
};

struct balance_of {
    std::string account;
};

/// What else happens while an event is folded.
struct surroundings {
    std::multiset<log_position> fails_at; ///< although the event is good: once each
    std::function<void(log_position)> during = [](log_position) {};
};

struct bank {
    static constexpr std::string_view name = "bank";
    using event = std::variant<paid_in>;
    using query = std::variant<balance_of>;
    stored_map<std::string, std::int64_t> balances;
    stored_map<std::pair<std::string, std::uint32_t>, std::int64_t> payments;
    ANNALS_FIELDS(bank, balances, payments)
};
inline surroundings& around() {
    static surroundings only;
    return only;
}

/// Reads a point and a range, and fails, when it fails, with half of its work done.
inline void evolve(bank& to, const paid_in& happened, const logged_context& context) {
    to.balances.change(happened.account, [&](std::int64_t& sum) { sum += happened.amount; });
    if (happened.amount < 0)
        throw std::runtime_error("nobody pays in less than nothing");
    around().during(context.position);
    auto& weak = around().fails_at;
    if (const auto here = weak.find(context.position); here != weak.end()) {
        weak.erase(here);
        throw std::runtime_error("a passing weakness");
    }
    std::uint32_t number = 0;
    for (const auto& [key, amount] : to.payments.starting_with(happened.account).backwards()) {
        number = key.second + 1;
        break;
    }
    to.payments.put({happened.account, number}, happened.amount);
    if (number >= 5) // the oldest of them goes
        to.payments.erase({happened.account, number - 5});
}

inline std::int64_t answer(const bank& of, const balance_of& query) {
    return of.balances.value_or(query.account, 0);
}

struct payment {
    log_position position;
    std::string account;
    std::int64_t amount;
};
using payments = std::vector<payment>;

/// What a bank holds: the sums, and the last five payments of each account by their numbers.
struct books {
    std::map<std::string, std::int64_t> balances;
    std::map<std::pair<std::string, std::uint32_t>, std::int64_t> payments;
    friend bool operator==(const books&, const books&) = default;
};

/// After everything up to `done`, except what cannot be folded.
inline books books_after(const payments& log, log_position done) {
    books made;
    std::map<std::string, std::uint32_t> numbers;
    for (const auto& one : log) {
        if (one.position > done || one.amount < 0)
            continue;
        made.balances[one.account] += one.amount;
        const std::uint32_t number = numbers[one.account]++;
        made.payments[{one.account, number}] = one.amount;
        if (number >= 5)
            made.payments.erase({one.account, number - 5});
    }
    return made;
}

inline const hosting::typed_stored_view_type<bank>& bank_type() {
    static const hosting::typed_stored_view_type<bank> only;
    return only;
}

/// What is on disk.
inline books books_on(const projection_store& disk, row_space space) {
    const auto snapshot = disk.snapshot();
    reading_rows rows(**snapshot, space);
    bank view;
    bind_tables(view, rows);
    books found;
    for (const auto& [account, sum] : view.balances.all())
        found.balances.emplace(account, sum);
    for (const auto& [key, amount] : view.payments.all())
        found.payments.emplace(key, amount);
    return found;
}

/// The events of `log` behind `after`, at most `most`, decoded as the runtime does.
inline std::shared_ptr<const decoded_events> page_of(const payments& log, log_position after,
                                                     std::size_t most, log_position end) {
    event_page page;
    const auto memory = std::make_shared<std::deque<bytes>>();
    page.through = end;
    for (const auto& one : log) {
        if (one.position <= after)
            continue;
        if (page.events.size() == most) {
            page.through = page.events.back().position;
            page.at_end = false;
            break;
        }
        stored_event made;
        made.position = one.position;
        made.stream = "bank-1";
        made.type = "bank.paid_in";
        made.payload = memory->emplace_back(to_bytes(paid_in{one.account, one.amount}));
        page.events.push_back(made);
    }
    page.memory = memory;
    return bank_type().decode(page, 0, {}).decoded;
}

/// A process with a sink in it, and the least that a lane does: gives it two slices at a time, tries
/// an event that fails a second time, then gives it up, and starts over when the sink is lost.
class stored_process {
public:
    static constexpr row_space space = 7;

    using sizes = std::function<std::size_t()>;

    stored_process(
        std::shared_ptr<projection_store> disk, const payments& log,
        sizes slices = [] { return std::size_t{3}; },
        std::shared_ptr<stepped_projection_store> shared = nullptr)
        : disk_(std::move(disk)),
          log_(log),
          slice_size_(std::move(slices)),
          rows(std::make_shared<row_progress>()),
          store(shared ? shared : std::make_shared<stepped_projection_store>(disk_)) {
        rows->reached(space, checkpoint().done); // as its actor does
        begin();
    }

    ~stored_process() { die(); } // what waits would keep itself alive
    stored_process(const stored_process&) = delete;
    stored_process& operator=(const stored_process&) = delete;

    // --- what the test does ------------------------------------------------------------------------

    std::function<std::optional<error>()> fault = [] { return std::optional<error>(); };
    bool same_sink_when_lost = false;

    /// The sink begins: what was on its way to the store before it is there.
    void start() {
        write();
        tell();
        work();
    }
    bool work() { return thread->run_one(); }
    bool write() {
        const bool written = store->write_one(fault());
        ahead_of_notes = ahead_of_notes || checkpoint().done > rows->most(space);
        return written;
    }
    bool tell() { return store->tell_one(); }
    bool hear() {
        if (inbox_.empty())
            return false;
        const auto report = std::move(inbox_.front());
        inbox_.pop_front();
        on_report(report);
        return true;
    }
    /// One thing happens: `choose(n)` says which of n. False if nothing can.
    template <class Choose>
    bool step(Choose&& choose) {
        std::vector<bool (stored_process::*)()> choices;
        if (!inbox_.empty())
            choices.push_back(&stored_process::hear);
        if (thread->waiting() > 0)
            choices.push_back(&stored_process::work);
        if (store->has_to_tell())
            choices.push_back(&stored_process::tell);
        else if (store->waiting() > 0)
            choices.push_back(&stored_process::write);
        return !choices.empty() &&
               (this->*choices[choices.size() == 1 ? 0 : choose(choices.size())])();
    }
    void run_until_quiet() {
        while (step([](std::size_t) { return std::size_t{0}; })) {
        }
    }
    /// From now on nothing that this process does has an effect.
    void die() {
        sink.reset();
        thread->drop();
        store->drop();
        inbox_.clear();
    }

    // --- what the test sees ------------------------------------------------------------------------

    [[nodiscard]] checkpoint_record checkpoint() const { return stored_checkpoint(*disk_, space); }
    [[nodiscard]] books on_disk() const { return books_on(*disk_, space); }
    [[nodiscard]] log_position position() const { return position_; }
    std::vector<sink_report> reports;
    std::set<log_position> given_up;
    bool ahead_of_notes = false; ///< the store had more than `rows` said that an answer may tell

private:
    [[nodiscard]] log_position end() const { return log_.empty() ? 0 : log_.back().position + 2; }

    void begin() {
        if (!sink || !same_sink_when_lost) {
            sink_parts parts;
            parts.report = [this](sink_report report) {
                reports.push_back(report);
                inbox_.push_back(std::move(report));
            };
            parts.store = store;
            parts.rows = rows;
            parts.threads.push_back(thread);
            sink =
                std::make_unique<stored_sink>(std::move(parts), bank_type(), space, checkpoint());
        }
        ++epoch_;
        position_ = fed_ = checkpoint().done;
        slices_.clear();
        given_ = 0;
        feed();
    }
    void feed() {
        while (slices_.size() < 2 && fed_ < end()) {
            slices_.push_back({page_of(log_, fed_, slice_size_(), end()), 0});
            fed_ = slices_.back().events->through;
        }
        for (; given_ < slices_.size(); ++given_) {
            slice made;
            made.epoch = epoch_;
            made.events = slices_[given_].events;
            made.first = slices_[given_].first;
            sink->take(std::move(made));
        }
    }
    void on_report(const sink_report& report) {
        if (report.epoch != epoch_)
            return;
        position_ = std::max(position_, report.done);
        if (report.lost) {
            begin();
        } else if (report.why) {
            auto& front = slices_.front();
            front.first = report.next;
            const auto failing = front.events->label(report.next).position;
            if (failing_ != failing) {
                failing_ = failing;
                again();
                return;
            }
            row_changes changes;
            sink->pass_over(changes, failing);
            store->apply(std::move(changes), [this, failing](const result<void>& stored) {
                if (!stored) {
                    begin();
                    return;
                }
                given_up.insert(failing);
                ++slices_.front().first;
                again();
            });
        } else if (report.finished) {
            slices_.pop_front();
            --given_;
            feed();
        }
    }
    void again() {
        ++epoch_;
        given_ = 0;
        feed();
    }

    struct given_slice {
        std::shared_ptr<const decoded_events> events;
        std::size_t first;
    };
    std::shared_ptr<projection_store> disk_;
    const payments& log_;
    const sizes slice_size_;
    std::deque<sink_report> inbox_; ///< on their way to the lane
    std::deque<given_slice> slices_;
    std::size_t given_ = 0;
    std::uint64_t epoch_ = 0;
    log_position fed_ = 0;
    log_position position_ = 0;
    log_position failing_ = 0;

public:
    const std::shared_ptr<row_progress> rows;
    const std::shared_ptr<stepped_projection_store> store;
    const std::shared_ptr<stepped_executor> thread = std::make_shared<stepped_executor>();
    std::unique_ptr<stored_sink> sink;
};

} // namespace annals::test
