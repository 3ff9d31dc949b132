#pragma once

#include "annals/projection_control.hpp"

namespace annals {

/// What `projection_control` needs of a runtime that may be gone.
class projection_control::access {
public:
    virtual ~access() = default;
    virtual void control(std::string_view projection, std::shared_ptr<control_request> request) = 0;
    [[nodiscard]] virtual future<log_position> reaches(const std::string& projection,
                                                       log_position position,
                                                       std::chrono::milliseconds timeout) = 0;
    [[nodiscard]] virtual result<std::vector<set_aside_event>>
    set_aside(const std::string& projection, log_position after, std::size_t max) = 0;
    [[nodiscard]] virtual result<projection_status> status(const std::string& projection) = 0;
};

} // namespace annals
