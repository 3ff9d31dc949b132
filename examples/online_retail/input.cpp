#include "input.hpp"

#include "rows.hpp"
#include "stop_signal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace retail {

namespace {

annals::error last_error() {
    return {annals::errc::io_error,
            "cannot read the input: " + std::generic_category().message(errno)};
}

enum class readiness { nothing, bytes, stop, error };

/// What `descriptor` offers within `timeout_ms`; -1 waits as long as it takes.
readiness wait_for(int descriptor, int timeout_ms) {
    // A negative descriptor is ignored: there is none before signals are caught.
    std::array<pollfd, 2> waited{{{descriptor, POLLIN, 0}, {stop_descriptor(), POLLIN, 0}}};
    int ready = 0;
    do
        ready = ::poll(waited.data(), waited.size(), timeout_ms);
    while (ready < 0 && errno == EINTR);
    if (ready < 0)
        return readiness::error;
    if (waited[1].revents != 0)
        return readiness::stop;
    return ready == 0 ? readiness::nothing : readiness::bytes;
}

/// Reads on as soon as there is something.
annals::result<std::size_t> read_some(int descriptor, std::span<char> into,
                                      const std::function<void()>& before_waiting) {
    readiness found = wait_for(descriptor, 0);
    if (found == readiness::nothing) {
        before_waiting();
        found = wait_for(descriptor, -1);
    }
    if (found == readiness::stop)
        return annals::error{annals::errc::aborted, "asked to stop"};
    if (found == readiness::error)
        return last_error();
    ssize_t got = 0;
    do
        got = ::read(descriptor, into.data(), into.size());
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return last_error();
    return static_cast<std::size_t>(got);
}

} // namespace

input::input(const std::string& path)
    : descriptor_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0)
        throw std::system_error(errno, std::generic_category(), "cannot open " + path);
    struct stat about {};
    if (::fstat(descriptor_, &about) == 0 && S_ISDIR(about.st_mode)) {
        if (descriptor_ != STDIN_FILENO)
            ::close(descriptor_);
        throw std::system_error(EISDIR, std::generic_category(), "cannot read " + path);
    }
}

input::~input() {
    if (descriptor_ != STDIN_FILENO)
        ::close(descriptor_);
}

std::optional<std::uint64_t> input::bytes() const {
    struct stat about {};
    if (::fstat(descriptor_, &about) != 0 || !S_ISREG(about.st_mode))
        return std::nullopt;
    return static_cast<std::uint64_t>(about.st_size);
}

annals::result<void> input::check_header() {
    std::array<char, 4'096> some{};
    while (beginning_.size() < csv_reader::max_record_bytes &&
           beginning_.find('\n') == std::string::npos) {
        const auto got = read_some(descriptor_, some, [] {});
        if (!got)
            return got.error();
        if (*got == 0)
            break;
        beginning_.append(some.data(), *got);
    }
    std::string_view rest = beginning_;
    csv_reader reader([&rest](std::span<char> into) -> annals::result<std::size_t> {
        const std::size_t count = rest.copy(into.data(), into.size());
        rest.remove_prefix(count);
        return count;
    });
    return read_header(reader);
}

byte_source input::source(std::function<void()> before_waiting) const {
    return [descriptor = descriptor_, before_waiting = std::move(before_waiting),
            rest = std::string_view(beginning_)](
               std::span<char> into) mutable -> annals::result<std::size_t> {
        if (rest.empty())
            return read_some(descriptor, into, before_waiting);
        const std::size_t count = rest.copy(into.data(), into.size());
        rest.remove_prefix(count);
        return count;
    };
}

} // namespace retail
