#pragma once

#include "annals/projection_store.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace annals::test {

/// A projection store whose disk is full for as long as the test says. Thread-safe.
class refusing_projection_store final : public projection_store {
public:
    explicit refusing_projection_store(std::shared_ptr<projection_store> disk)
        : disk_(std::move(disk)) {}

    /// While it is full it refuses every change, and counts it.
    void fill(bool full) { full_.store(full); }
    [[nodiscard]] int refused() const { return refused_.load(); }

    void apply(row_changes changes, applied done) override {
        if (changes.empty() || !full_.load()) {
            disk_->apply(std::move(changes), std::move(done));
            return;
        }
        ++refused_;
        if (done)
            done(error{errc::disk_full, "simulated"});
    }
    [[nodiscard]] result<std::unique_ptr<row_snapshot>> snapshot() const override {
        return disk_->snapshot();
    }
    [[nodiscard]] row_space new_space() override { return disk_->new_space(); }
    [[nodiscard]] result<void> keep_only(std::span<const row_space> spaces) override {
        return disk_->keep_only(spaces);
    }
    [[nodiscard]] bool durable() const noexcept override { return disk_->durable(); }
    [[nodiscard]] std::vector<std::string> warnings() const override {
        if (!full_.load())
            return {};
        return {"the disk of the views is full"};
    }
    void close() override { disk_->close(); }

private:
    const std::shared_ptr<projection_store> disk_;
    std::atomic<bool> full_{false};
    std::atomic<int> refused_{0};
};

} // namespace annals::test
