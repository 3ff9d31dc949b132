#include "annals/hosting.hpp"
#include "annals/future.hpp"

namespace annals {

std::string describe_current_exception() {
    try {
        throw;
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "an exception that is not a std::exception";
    }
}

namespace hosting {

error failed_handler(std::string_view projection, const event_label& label) {
    const std::string sentence = "\"" + std::string(projection) + "\" threw on event " +
                                 std::to_string(label.position) + " (" + std::string(label.type) +
                                 " of " + std::string(label.stream) + "): ";
    try {
        throw;
    } catch (const bad_result& e) {
        return {e.error().code, sentence + e.error().message, label.position};
    } catch (...) {
        return {errc::handler_failed, sentence + describe_current_exception(), label.position};
    }
}

} // namespace hosting

std::string_view id_in_stream(std::string_view stream) noexcept {
    const auto dash = stream.find('-');
    return dash == std::string_view::npos ? std::string_view{} : stream.substr(dash + 1);
}

metadata logged_context::metadata() const {
    stored_event from;
    from.position = position;
    from.time = time;
    from.command_id = command_id;
    from.more_metadata = more_metadata;
    return from.read_metadata().value();
}

namespace {
thread_local bool must_not_block = false;
thread_local std::string_view handled_here;
} // namespace

handling_scope::handling_scope(std::string_view projection) noexcept : before_(handled_here) {
    handled_here = projection;
}

handling_scope::~handling_scope() {
    handled_here = before_;
}

std::string_view projection_handled_here() noexcept {
    return handled_here;
}

bool this_thread_must_not_block() noexcept {
    return must_not_block;
}

no_blocking_scope::no_blocking_scope() noexcept : before_(must_not_block) {
    must_not_block = true;
}

no_blocking_scope::~no_blocking_scope() {
    must_not_block = before_;
}

} // namespace annals
