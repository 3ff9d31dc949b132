#include "alert_file.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace retail::analytics {

namespace {

constexpr std::size_t id_size = 36;

/// "2010-12-01 customer 17850: ... [c5f1...]": the id in the brackets, nil if there is none.
annals::uuid id_of(std::string_view line) {
    if (line.size() < id_size + 2 || !line.ends_with(']'))
        return {};
    line.remove_suffix(1);
    return annals::uuid::parse(line.substr(line.size() - id_size)).value_or(annals::uuid{});
}

bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(descriptor, text.data(), text.size());
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

} // namespace

alert_file::alert_file(const std::filesystem::path& path)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0)
        throw std::system_error(errno, std::generic_category(), "cannot open " + path.string());
    try {
        if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0)
            throw std::system_error(errno, std::generic_category(),
                                    path.string() + " is used by another process");
        read_known();
    } catch (...) {
        ::close(descriptor_);
        throw;
    }
}

alert_file::~alert_file() {
    ::close(descriptor_);
}

void alert_file::read_known() {
    std::array<char, 65'536> some{};
    std::string line;
    ssize_t got = 0;
    while ((got = ::read(descriptor_, some.data(), some.size())) > 0)
        for (const char c : std::string_view(some.data(), static_cast<std::size_t>(got))) {
            if (c != '\n') {
                line += c;
                continue;
            }
            known_.insert(id_of(line));
            size_ += line.size() + 1;
            line.clear();
        }
    if (got < 0 || ::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot read the file of alerts");
}

annals::result<void> alert_file::append(const annals::uuid& id, std::string_view text) {
    if (known_.contains(id))
        return {};
    const std::string line = std::string(text) + " [" + id.to_string() + "]\n";
    // An attempt that failed before may have left a part.
    if (::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0 || !write_all(descriptor_, line) ||
        ::fdatasync(descriptor_) != 0)
        return annals::error{annals::errc::io_error, "cannot write the file of alerts: " +
                                                         std::generic_category().message(errno)};
    size_ += line.size();
    known_.insert(id);
    return {};
}

} // namespace retail::analytics
