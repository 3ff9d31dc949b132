#pragma once

#include <annals/error.hpp>
#include <annals/uuid.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string_view>

namespace retail::analytics {

/// A text file with one line for each alert, and no alert twice: a line ends with the id it is known
/// by. Stands for what a real shop would call: a mail service, a queue, another system. Not
/// thread-safe.
class alert_file {
public:
    /// Opens or creates it, for this process alone. A last line without its end, which a crash leaves,
    /// is taken away. Throws `std::system_error`.
    explicit alert_file(const std::filesystem::path& path);
    ~alert_file();
    alert_file(const alert_file&) = delete;
    alert_file& operator=(const alert_file&) = delete;

    /// On disk when it returns. Does nothing if the file has `id` already.
    [[nodiscard]] annals::result<void> append(const annals::uuid& id, std::string_view text);

    /// Alerts in the file.
    [[nodiscard]] std::size_t count() const noexcept { return known_.size(); }

private:
    void read_known();

    int descriptor_ = -1;
    std::uint64_t size_ = 0; ///< in bytes
    std::set<annals::uuid> known_;
};

} // namespace retail::analytics
