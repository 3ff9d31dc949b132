#include "watch.hpp"

#include <algorithm>
#include <sys/ioctl.h>
#include <unistd.h>

namespace retail::analytics {

namespace {

constexpr auto time_between_frames = std::chrono::milliseconds(200);
constexpr auto time_between_lines = std::chrono::seconds(2);
constexpr std::size_t best_shown = 10;

/// One row is left free: behind the last line feed the cursor stands on it.
screen_size screen_of(std::FILE* terminal) {
    winsize size{};
    if (::ioctl(::fileno(terminal), TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row < 2)
        return {};
    return {size.ws_col, size.ws_row - 1u};
}

} // namespace

watch::watch(annals::runtime& rt, std::FILE* to, std::optional<std::uint64_t> input_bytes)
    : rt_(rt),
      to_(to),
      is_terminal_(::isatty(::fileno(to)) == 1),
      input_bytes_(input_bytes),
      products_(rt.reader<sales_by_product>().value()),
      looks_([this](const std::stop_token& stop) { run(stop); }) {}

watch::~watch() {
    looks_.request_stop();
    looks_.join();
    live_figures last = look();
    // The published version may be some milliseconds old; a query can ask for the latest.
    if (auto best = rt_.ask(top_sellers{best_shown}, annals::latest()).get())
        last.best = *std::move(best);
    show(last);
}

void watch::update(std::uint64_t rows, std::uint64_t bytes) {
    updated_.store(std::chrono::steady_clock::now(), std::memory_order_relaxed);
    rows_.store(rows, std::memory_order_relaxed);
    bytes_.store(bytes, std::memory_order_relaxed);
}

void watch::print(std::string_view line) {
    const std::lock_guard held(mutex_);
    write(erasing() + std::string(line) + '\n');
    shown_lines_ = 0;
}

void watch::run(const std::stop_token& stop) {
    const std::chrono::milliseconds pause = is_terminal_ ? time_between_frames : time_between_lines;
    const auto never = [] { return false; };
    while (!stop.stop_requested()) {
        {
            std::unique_lock held(mutex_);
            stopped_.wait_for(held, stop, pause, never);
        }
        if (!stop.stop_requested())
            show(look());
    }
}

live_figures watch::look() {
    live_figures now;
    now.rows = rows_.load(std::memory_order_relaxed);
    const std::chrono::duration<double> importing =
        updated_.load(std::memory_order_relaxed) - started_;
    now.seconds = importing.count();
    if (input_bytes_)
        now.share =
            *input_bytes_ == 0
                ? 1.0
                : std::min(1.0, static_cast<double>(bytes_.load(std::memory_order_relaxed)) /
                                    static_cast<double>(*input_bytes_));
    now.projections = rt_.status().projections;
    now.best = answer(*products_.read(), top_sellers{best_shown});
    now.best_before = std::exchange(best_before_, {});
    for (const product& one : now.best)
        best_before_.push_back(one.sku);
    return now;
}

void watch::show(const live_figures& now) {
    const std::lock_guard held(mutex_);
    if (!is_terminal_)
        return write(status_line(now) + '\n');
    const std::string text = frame(now, screen_of(to_));
    write(erasing() + text);
    shown_lines_ = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Takes the cursor back to where the frame began, and everything behind it away.
std::string watch::erasing() const {
    return shown_lines_ == 0 ? "" : "\x1b[" + std::to_string(shown_lines_) + "A\x1b[J";
}

/// All at once, so that nothing flickers.
void watch::write(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), to_);
    std::fflush(to_);
}

} // namespace retail::analytics
