#pragma once

// What a test does with live queries: collect what they say, and make changes that they have seen.

#include "support/runtime_verbs.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace annals::test {

/// What one live query has said so far. Copies share it.
template <class T>
class live_updates {
public:
    /// For `runtime::watch`.
    [[nodiscard]] std::function<void(const live_update<T>&)> collect() const {
        return [into = shared_](const live_update<T>& update) {
            const std::lock_guard lock(into->mutex);
            into->all.push_back(update);
            into->changed.notify_all();
        };
    }
    [[nodiscard]] std::vector<live_update<T>> all() const {
        const std::lock_guard lock(shared_->mutex);
        return shared_->all;
    }
    [[nodiscard]] std::size_t count() const { return all().size(); }
    /// Waits until `happens(all updates)`. False after half a minute, which no test should need.
    template <class Predicate>
    [[nodiscard]] bool until(Predicate happens) const {
        std::unique_lock lock(shared_->mutex);
        return shared_->changed.wait_for(lock, std::chrono::seconds(30),
                                         [&] { return happens(shared_->all); });
    }
    [[nodiscard]] bool reaches(std::size_t wanted) const {
        return until([&](const auto& seen) { return seen.size() >= wanted; });
    }
    [[nodiscard]] bool ends() const {
        return until([](const auto& seen) { return !seen.empty() && seen.back().last; });
    }

private:
    struct state {
        mutable std::mutex mutex;
        std::condition_variable changed;
        std::vector<live_update<T>> all;
    };
    std::shared_ptr<state> shared_ = std::make_shared<state>();
};

/// "0, 1, 5 (4 skipped), overloaded!"; "!" for the last.
template <class T>
std::string said(const std::vector<live_update<T>>& updates) {
    std::string text;
    for (const auto& each : updates) {
        text += (text.empty() ? "" : ", ") + said(each.answer);
        if (each.skipped != 0)
            text += " (" + std::to_string(each.skipped) + " skipped)";
        if (each.last)
            text += "!";
    }
    return text;
}
template <class T>
std::string said(const live_updates<T>& updates) {
    return said(updates.all());
}

/// Adds one unit to a cart. When it returns, every live query of "demand" has been offered the change.
inline receipt add_one(runtime& rt, std::string sku) {
    auto written = rt.send("17", shop::add_item{std::move(sku)}).get().value();
    (void)rt.ask(shop::total_demand{}, after(written)).get().value();
    (void)rt.ask(shop::total_demand{}).get().value(); // behind what followed the folding
    return written;
}

/// Several threads add one unit of tea after the other, until they have added `times` each.
class command_storm {
public:
    command_storm(runtime& rt, int threads, int times) {
        for (int i = 0; i != threads; ++i)
            threads_.emplace_back([&rt, i, times] {
                const std::string id = std::to_string(i);
                for (int sent = 1; sent < times; ++sent)
                    (void)rt.send(id, shop::add_item{"tea"});
                (void)rt.send(id, shop::add_item{"tea"}).get();
            });
    }
    command_storm(const command_storm&) = delete;
    command_storm& operator=(const command_storm&) = delete;
    ~command_storm() { wait(); }
    /// Until all is stored.
    void wait() {
        for (auto& each : threads_)
            if (each.joinable())
                each.join();
    }

private:
    std::vector<std::thread> threads_;
};

} // namespace annals::test
