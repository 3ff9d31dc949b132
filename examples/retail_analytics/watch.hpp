#pragma once

#include "frame.hpp"

#include "online_retail/import_display.hpp"

#include <annals/runtime.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace retail::analytics {

/// Shows an import while it runs: on a terminal a frame that is drawn again in its place, elsewhere a
/// line now and then. A thread of its own looks at the runtime, so the import does not wait for it.
class watch final : public import_display {
public:
    /// `input_bytes` is what there is to read, if that is known. Throws `annals::bad_result` if
    /// sales_by_product is not published by `rt`.
    watch(annals::runtime& rt, std::FILE* to, std::optional<std::uint64_t> input_bytes);
    /// Shows how it ended.
    ~watch() override;
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;

    void update(std::uint64_t rows, std::uint64_t bytes) override;
    void print(std::string_view line) override;

private:
    void run(const std::stop_token& stop);
    [[nodiscard]] live_figures look();
    void show(const live_figures& now);
    [[nodiscard]] std::string erasing() const;
    void write(const std::string& text);

    annals::runtime& rt_;
    std::FILE* to_;
    bool is_terminal_;
    std::optional<std::uint64_t> input_bytes_;
    const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    std::atomic<std::chrono::steady_clock::time_point> updated_{started_};
    std::atomic<std::uint64_t> rows_{0};
    std::atomic<std::uint64_t> bytes_{0};
    annals::view_reader<sales_by_product> products_; ///< used by the thread that looks
    std::vector<std::string> best_before_;           ///< likewise

    std::mutex mutex_; ///< held while writing, and for what follows
    std::condition_variable_any stopped_;
    std::size_t shown_lines_ = 0; ///< of the frame that is on the terminal
    std::jthread looks_;          ///< last: it uses the rest
};

} // namespace retail::analytics
