#include "progress.hpp"

#include "numbers.hpp"

#include <algorithm>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>

namespace retail {

namespace {

using seconds = std::chrono::duration<double>;

constexpr auto time_between_bars = std::chrono::milliseconds(100);
constexpr std::size_t bar_width = 30;

double share(std::uint64_t bytes, std::uint64_t all) {
    return all == 0 ? 1.0 : std::min(1.0, static_cast<double>(bytes) / static_cast<double>(all));
}

/// ", 210,000 rows/s, 2 s left".
std::string speed(std::uint64_t rows, double elapsed, std::optional<double> done) {
    const double rate = elapsed > 0 ? static_cast<double>(rows) / elapsed : 0;
    std::string text = ", " + grouped(static_cast<std::int64_t>(rate)) + " rows/s";
    if (done && *done > 0) {
        const double left = elapsed * (1 - *done) / *done;
        text += ", " + grouped(static_cast<std::int64_t>(left + 0.5)) + " s left";
    }
    return text;
}

/// How wide a line may be that stays one line: the last column is left free, since some terminals wrap
/// there. 0 if the width is not known.
std::size_t width_of(std::FILE* terminal) {
    winsize size{};
    if (::ioctl(::fileno(terminal), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 0;
    return size.ws_col - std::size_t{1};
}

} // namespace

progress::progress(std::FILE* to, std::optional<std::uint64_t> input_bytes,
                   std::uint64_t rows_per_line)
    : to_(to),
      is_terminal_(::isatty(::fileno(to)) == 1),
      input_bytes_(input_bytes),
      rows_per_line_(std::max<std::uint64_t>(rows_per_line, 1)),
      next_line_rows_(rows_per_line_),
      started_(std::chrono::steady_clock::now()),
      next_bar_(started_ + time_between_bars) {}

progress::~progress() {
    clear_bar();
}

void progress::update(std::uint64_t rows, std::uint64_t bytes) {
    if (!is_terminal_) {
        if (rows >= next_line_rows_)
            show_line(rows, bytes);
    } else if (const auto now = std::chrono::steady_clock::now(); now >= next_bar_) {
        next_bar_ = now + time_between_bars;
        show_bar(rows, bytes);
    }
}

void progress::print(std::string_view line) {
    clear_bar();
    std::fprintf(to_, "%.*s\n", static_cast<int>(line.size()), line.data());
    std::fflush(to_);
}

void progress::show_bar(std::uint64_t rows, std::uint64_t bytes) {
    const double elapsed = seconds(std::chrono::steady_clock::now() - started_).count();
    std::string bar;
    std::string text;
    std::optional<double> done;
    if (input_bytes_) {
        done = share(bytes, *input_bytes_);
        const auto filled = static_cast<std::size_t>(*done * static_cast<double>(bar_width));
        bar = "[" + std::string(filled, '#') + std::string(bar_width - filled, '.') + "] ";
        text = std::to_string(static_cast<int>(*done * 100)) + " % ";
    }
    text += grouped(rows) + " rows" + speed(rows, elapsed, done);
    // A line that wraps could not be drawn again in its place: on a narrow terminal the bar goes first.
    const std::size_t width = width_of(to_);
    if (width == 0 || bar.size() + text.size() <= width)
        text.insert(0, bar);
    else if (text.size() > width)
        text.resize(width); // all of it is ASCII
    std::fprintf(to_, "\r\x1b[K%s", text.c_str());
    std::fflush(to_);
    bar_shown_ = true;
}

void progress::show_line(std::uint64_t rows, std::uint64_t bytes) {
    const double elapsed = seconds(std::chrono::steady_clock::now() - started_).count();
    std::optional<double> done;
    std::string text = grouped(rows) + " rows done";
    if (input_bytes_) {
        done = share(bytes, *input_bytes_);
        text += " (" + std::to_string(static_cast<int>(*done * 100)) + " %)";
    }
    print(text + speed(rows, elapsed, done));
    next_line_rows_ = rows - rows % rows_per_line_ + rows_per_line_;
}

void progress::clear_bar() {
    if (!bar_shown_)
        return;
    std::fputs("\r\x1b[K", to_);
    std::fflush(to_);
    bar_shown_ = false;
}

} // namespace retail
