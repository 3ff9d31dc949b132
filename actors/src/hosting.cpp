#include "annals/future.hpp"
#include "annals/host.hpp"

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

std::string_view id_in_stream(std::string_view stream) noexcept {
    const auto dash = stream.find('-');
    return dash == std::string_view::npos ? std::string_view{} : stream.substr(dash + 1);
}

namespace {
thread_local bool must_not_block = false;
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
