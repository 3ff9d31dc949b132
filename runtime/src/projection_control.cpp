#include "annals/projection_control.hpp"

#include "control_access.hpp"

namespace annals {

future<log_position> projection_control::send(control_request::action what, log_position at) const {
    auto request = std::make_shared<control_request>(what, at);
    future<log_position> answer(request);
    to_->control(name_, std::move(request));
    return answer;
}

future<log_position> projection_control::pause() const {
    return send(control_request::action::pause, 0);
}
future<log_position> projection_control::resume() const {
    return send(control_request::action::resume, 0);
}
future<log_position> projection_control::reset(log_position position) const {
    return send(control_request::action::reset, position);
}
future<log_position> projection_control::rebuild() const {
    return send(control_request::action::rebuild, 0);
}
future<log_position> projection_control::replay(log_position position) const {
    return send(control_request::action::replay, position);
}
future<log_position> projection_control::give_up(log_position position) const {
    return send(control_request::action::give_up, position);
}
future<log_position> projection_control::reaches(log_position position,
                                                 std::chrono::milliseconds timeout) const {
    return to_->reaches(name_, position, timeout);
}
result<std::vector<set_aside_event>> projection_control::set_aside(log_position after,
                                                                   std::size_t max) const {
    return to_->set_aside(name_, after, max);
}
result<projection_status> projection_control::status() const {
    return to_->status(name_);
}

} // namespace annals
