#pragma once

#include <string>

namespace annals {

class projection_gauge;

/// While it lives, an answer on this thread that meets rows which cannot be read is told to the view's
/// gauge, too: who asked gets the error, and the status says so.
class answering_scope {
public:
    explicit answering_scope(projection_gauge& of) noexcept;
    ~answering_scope();
    answering_scope(const answering_scope&) = delete;
    answering_scope& operator=(const answering_scope&) = delete;

    static void rows_failed(const std::string& why);

private:
    projection_gauge* const before_;
};

} // namespace annals
