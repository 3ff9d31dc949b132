#pragma once

#include "annals/future.hpp"

namespace annals {

/// Around the code of a view, `evolve` and `answer`, for as long as it runs on this thread: it waits for
/// nothing there, and what would wait for the view itself is refused before it is begun.
class view_code_scope {
public:
    /// `view`: its name, which outlives this.
    explicit view_code_scope(std::string_view view) noexcept : handling_(view) {}

private:
    const no_blocking_scope waits_for_nothing_;
    const handling_scope handling_;
};

} // namespace annals
