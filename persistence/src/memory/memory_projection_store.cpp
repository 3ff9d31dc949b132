#include "annals/projection_store.hpp"

#include "journal/answer_queue.hpp"
#include "memory/memory_rows.hpp"
#include "projection_store/row_check.hpp"
#include "projection_store/space_numbers.hpp"

#include <algorithm>
#include <mutex>

namespace annals {

namespace {

error store_closed() {
    return {errc::closed, "the projection store is closed; open it again"};
}

/// How a change ended.
struct change_answer {
    projection_store::applied done;
    result<void> how;

    void give() const {
        if (done)
            done(how);
    }
};

/// What the store and its snapshots share.
struct shared_rows {
    std::mutex mutex; ///< guards the next three; taken before that of `answers`
    memory_rows rows;
    std::unordered_set<row_space> spent;
    bool closed = false;
    space_numbers spaces;
    answer_queue<change_answer> answers;

    [[nodiscard]] result<memory_rows> copy() {
        const std::lock_guard lock(mutex);
        if (closed)
            return store_closed();
        return rows;
    }
    /// Under the lock.
    [[nodiscard]] result<void> apply(row_changes& changes) {
        if (closed)
            return store_closed();
        if (auto checked =
                check_changes(changes, projection_store_options{}.max_batch_bytes, spent);
            !checked)
            return checked;
        spaces.use_all_of(changes);
        for (const auto& one : changes.sorted()) {
            if (one.value_bytes == row_changes::change::erased)
                rows.erase(one.space, changes.key(one));
            else
                rows.put(one.space, changes.key(one), changes.value(one));
        }
        for (const auto space : changes.dropped()) {
            rows.drop(space);
            spent.insert(space);
        }
        return {};
    }
};

class memory_snapshot final : public row_snapshot {
public:
    memory_snapshot(std::shared_ptr<shared_rows> from, memory_rows rows)
        : from_(std::move(from)),
          rows_(std::move(rows)) {}

    [[nodiscard]] result<std::optional<bytes_view>> get(row_space space, bytes_view key) override {
        const auto* const found = rows_.find(space, key);
        return found == nullptr ? std::nullopt : std::optional(bytes_view(found->value));
    }
    [[nodiscard]] result<std::optional<row>> at_or_after(row_space space,
                                                         bytes_view from) override {
        return found(space, rows_.at_or_after(space, from));
    }
    [[nodiscard]] result<std::optional<row>> last_before(row_space space,
                                                         bytes_view before) override {
        return found(space, rows_.before(space, before));
    }
    [[nodiscard]] result<std::optional<row>> last(row_space space) override {
        return found(space, rows_.last(space));
    }
    [[nodiscard]] result<std::optional<row>> next() override {
        return moved(place_ == nullptr ? nullptr : rows_.after(space_, place_->key));
    }
    [[nodiscard]] result<std::optional<row>> previous() override {
        return moved(place_ == nullptr ? nullptr : rows_.before(space_, place_->key));
    }
    [[nodiscard]] result<void> renew() override {
        place_ = nullptr;
        auto now = from_->copy();
        if (!now)
            return now.error();
        rows_ = *std::move(now);
        return {};
    }

private:
    std::optional<row> found(row_space space, const memory_rows::entry* at) {
        space_ = space;
        place_ = nullptr;
        return moved(at);
    }
    std::optional<row> moved(const memory_rows::entry* to) {
        if (to == nullptr)
            return std::nullopt;
        place_ = to;
        return row{to->key, to->value};
    }

    std::shared_ptr<shared_rows> from_;
    memory_rows rows_;
    row_space space_ = catalog_space;
    const memory_rows::entry* place_ = nullptr; ///< the row returned last
};

class memory_projection_store final : public projection_store {
public:
    ~memory_projection_store() override { close(); }

    void apply(row_changes changes, applied done) override {
        const auto state = state_; // a callback may drop the last reference to this store
        {
            const std::lock_guard lock(state->mutex);
            auto how = state->apply(changes);
            state->answers.push({std::move(done), std::move(how)});
        }
        state->answers.run();
    }

    [[nodiscard]] result<std::unique_ptr<row_snapshot>> snapshot() const override {
        auto rows = state_->copy();
        if (!rows)
            return rows.error();
        return std::unique_ptr<row_snapshot>(
            std::make_unique<memory_snapshot>(state_, *std::move(rows)));
    }

    [[nodiscard]] row_space new_space() override { return state_->spaces.take(); }

    [[nodiscard]] result<void> keep_only(std::span<const row_space> spaces) override {
        const std::lock_guard lock(state_->mutex);
        if (state_->closed)
            return store_closed();
        for (const auto space : state_->rows.spaces()) {
            if (space == catalog_space || std::ranges::find(spaces, space) != spaces.end())
                continue;
            state_->rows.drop(space);
            state_->spent.insert(space);
        }
        return {};
    }

    [[nodiscard]] bool durable() const noexcept override { return false; }

    void close() override {
        const auto state = state_;
        {
            const std::lock_guard lock(state->mutex);
            state->closed = true;
            state->rows = {}; // snapshots keep theirs
        }
        state->answers.run();
        state->answers.wait();
    }

private:
    std::shared_ptr<shared_rows> state_ = std::make_shared<shared_rows>();
};

} // namespace

std::shared_ptr<projection_store> make_memory_projection_store() {
    return std::make_shared<memory_projection_store>();
}

} // namespace annals
