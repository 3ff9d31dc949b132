#pragma once

#include "engine_core.hpp"
#include "references.hpp"

#include <algorithm>
#include <map>

namespace annals {

/// Queries that wait in a view's actor for a position; each is answered the moment the view is there,
/// and nobody polls.
class query_parking {
public:
    query_parking(std::shared_ptr<annals::admission> admission,
                  std::shared_ptr<projection_gauge> gauge)
        : admission_(std::move(admission)),
          gauge_(std::move(gauge)) {}

    /// Keeps `query` until the view reaches `position`, or answers `overloaded`.
    void park(const query_ref& query, log_position position) {
        if (parked_.size() >= next_cleaning_)
            drop_expired();
        // One that had been let go, and waits again because the view was reset, is counted already.
        const bool counts = !query->counts_as_waiting_;
        if (counts && gauge_->queries_waiting.fetch_add(1) >= gauge_->max_waiting()) {
            gauge_->queries_waiting.fetch_sub(1);
            query->fail({errc::overloaded, "more than " + std::to_string(gauge_->max_waiting()) +
                                               " queries wait for view \"" + gauge_->name() +
                                               "\" to reach a position; ask less, or raise "
                                               "projection_options::max_waiting_queries"});
            return;
        }
        query->counts_as_waiting_ = true;
        query->deadline_armed_ = true;
        admission_->deadlines.add(query->deadline, query.shared());
        parked_.emplace(position, query);
    }

    template <class Answer>
    void answer_up_to(log_position position, Answer&& answer) {
        while (!parked_.empty() && parked_.begin()->first <= position) {
            const query_ref query = std::move(parked_.begin()->second);
            parked_.erase(parked_.begin());
            answer(query);
        }
    }
    /// The view has begun anew: its queries wait for no more than they ask for.
    void forget_floor() {
        std::multimap<log_position, query_ref> again;
        for (auto& [position, query] : parked_) {
            const log_position wanted = query->at_least;
            again.emplace(wanted, std::move(query));
        }
        parked_ = std::move(again);
    }
    template <class Refuse>
    void refuse_all(Refuse&& refuse) {
        for (auto& [position, query] : std::exchange(parked_, {}))
            refuse(query);
    }
    void clear() { parked_.clear(); }

private:
    /// Queries whose deadline has answered them stay until here; cleaning at each doubling keeps both
    /// their number and the work small.
    void drop_expired() {
        std::erase_if(parked_, [](const auto& entry) { return entry.second->answered_already(); });
        next_cleaning_ = std::max<std::size_t>(64, parked_.size() * 2);
    }

    const std::shared_ptr<annals::admission> admission_;
    const std::shared_ptr<projection_gauge> gauge_;
    std::multimap<log_position, query_ref> parked_;
    std::size_t next_cleaning_ = 64;
};

} // namespace annals
