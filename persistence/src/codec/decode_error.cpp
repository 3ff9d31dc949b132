#include "annals/codec.hpp"

namespace annals {

bool decode_error::fail(std::string reason) {
    reason_ = std::move(reason);
    return false;
}

bool decode_error::expected(std::string_view what, const node& found) {
    return fail("expected " + std::string(what) + ", found " +
                std::string(to_string(found.kind())));
}

void decode_error::within_field(std::string_view name) {
    const bool last = path_.empty() || path_.front() == '[';
    path_.insert(0, std::string(name) + (last ? "" : "."));
}

void decode_error::within_element(std::size_t index) {
    const bool last = path_.empty() || path_.front() == '[';
    path_.insert(0, "[" + std::to_string(index) + "]" + (last ? "" : "."));
}

std::string decode_error::message() const {
    return path_.empty() ? reason_ : path_ + ": " + reason_;
}

} // namespace annals
