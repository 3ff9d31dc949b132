#pragma once

#include "import_display.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>

namespace retail {

/// Shows on one stream how far the import is: a bar on a terminal, a plain line now and then
/// elsewhere. Other lines for the same stream go through it too, so that they do not cut the bar.
class progress final : public import_display {
public:
    /// `input_bytes` is what there is to read, if that is known; only then a time left is shown.
    /// `rows_per_line`: how often a plain line appears.
    progress(std::FILE* to, std::optional<std::uint64_t> input_bytes, std::uint64_t rows_per_line);
    ~progress() override;
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;

    /// Shows only what is due.
    void update(std::uint64_t rows, std::uint64_t bytes) override;
    void print(std::string_view line) override;

private:
    void show_bar(std::uint64_t rows, std::uint64_t bytes);
    void show_line(std::uint64_t rows, std::uint64_t bytes);
    void clear_bar();

    std::FILE* to_;
    bool is_terminal_;
    bool bar_shown_ = false;
    std::optional<std::uint64_t> input_bytes_;
    std::uint64_t rows_per_line_;
    std::uint64_t next_line_rows_;
    std::chrono::steady_clock::time_point started_;
    std::chrono::steady_clock::time_point next_bar_;
};

} // namespace retail
