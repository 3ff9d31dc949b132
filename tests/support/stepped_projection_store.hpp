#pragma once

#include "annals/projection_catalog.hpp"
#include "annals/projection_store.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace annals::test {

/// A projection store whose writer the test moves, one change at a time. What it has written is in
/// another store, which outlives it as a disk outlives a process. Not thread-safe.
class stepped_projection_store final : public projection_store {
public:
    explicit stepped_projection_store(std::shared_ptr<projection_store> disk)
        : disk_(std::move(disk)) {}

    void apply(row_changes changes, applied done) override {
        if (at_once_)
            disk_->apply(std::move(changes), std::move(done));
        else
            queue_.push_back({std::move(changes), std::move(done)});
    }
    [[nodiscard]] result<std::unique_ptr<row_snapshot>> snapshot() const override {
        return disk_->snapshot();
    }
    [[nodiscard]] row_space new_space() override { return disk_->new_space(); }
    [[nodiscard]] result<void> keep_only(std::span<const row_space> spaces) override {
        return disk_->keep_only(spaces);
    }
    [[nodiscard]] bool durable() const noexcept override { return true; }
    void close() override {
        while (tell_one() || write_one()) {
        }
    }

    /// While it does, nothing waits for the test: precondition `waiting() == 0`.
    void write_at_once(bool yes) { at_once_ = yes; }
    [[nodiscard]] std::size_t waiting() const { return queue_.size(); }
    [[nodiscard]] bool has_to_tell() const { return untold_.has_value(); }
    /// Writes the next change, or, by `fault`, does not; `tell_one` then says so. False if there is
    /// none, or if the last one was not told.
    bool write_one(std::optional<error> fault = {}) {
        if (queue_.empty() || untold_)
            return false;
        auto next = std::move(queue_.front());
        queue_.pop_front();
        result<void> how;
        if (fault) {
            how = *fault;
        } else {
            written_ += next.changes.empty() ? 0U : 1U;
            disk_->apply(std::move(next.changes), [&how](const result<void>& came) { how = came; });
        }
        untold_.emplace(std::move(next.done), how);
        return true;
    }
    bool tell_one() {
        if (!untold_)
            return false;
        const auto [done, how] = *std::exchange(untold_, {});
        if (done)
            done(how);
        return true;
    }
    /// How many changes were written that changed anything.
    [[nodiscard]] std::size_t written() const { return written_; }
    /// The process dies: what was not written is gone, and nobody is told.
    void drop() {
        while (!queue_.empty() || untold_) { // what it held may apply
            const auto lost = std::exchange(queue_, {});
            const auto lost_answer = std::exchange(untold_, {});
        }
    }
    /// The same, but the answers are kept until `let_go`: those who wait for them may hold each other.
    void lose() {
        for (auto& each : std::exchange(queue_, {}))
            lost_.push_back(std::move(each.done));
        if (untold_)
            lost_.push_back(std::exchange(untold_, {})->first);
    }
    /// What died is no more, and whoever still waits is told so.
    void let_go() {
        for (lose(); !lost_.empty(); lose())
            for (const auto& done : std::exchange(lost_, {}))
                if (done)
                    done(error{errc::closed, "the process has died"});
    }

private:
    struct change {
        row_changes changes;
        applied done;
    };
    std::shared_ptr<projection_store> disk_;
    std::deque<change> queue_;
    std::optional<std::pair<applied, result<void>>> untold_;
    std::vector<applied> lost_; ///< of changes that nobody is told about
    std::size_t written_ = 0;
    bool at_once_ = false;
};

/// What is stored of the projection that lives in `space`.
inline checkpoint_record stored_checkpoint(const projection_store& in, row_space space) {
    return catalog::find_checkpoint(**in.snapshot(), space)->value_or(checkpoint_record{});
}

} // namespace annals::test
