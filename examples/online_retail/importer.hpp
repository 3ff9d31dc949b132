#pragma once

#include "csv.hpp"
#include "import_display.hpp"
#include "input.hpp"
#include "row_checksum.hpp"
#include "views.hpp"

#include <annals/runtime.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace retail {

struct import_options {
    /// Stops orderly after this many rows of the input.
    std::uint64_t stop_after = std::numeric_limits<std::uint64_t>::max();
    /// Malformed rows that are reported one by one.
    std::uint64_t max_malformed_reports = 20;
    /// Commands sent and not yet answered: enough to fill the journal's batches, and well below
    /// `engine_limits`, so that no command is ever refused as too many.
    std::size_t window = 8'192;
    /// Asked before each row; true ends the import orderly.
    std::function<bool()> stop_requested = [] { return false; };
};

/// What became of the rows of one run. The five kinds of outcome add up to `rows`.
struct import_counts {
    std::uint64_t rows = 0;
    std::uint64_t accepted = 0;                                 ///< stored by this run
    std::map<std::string, std::uint64_t, std::less<>> rejected; ///< by code
    std::uint64_t already_stored = 0; ///< stored, or passed by a later stored row, in earlier runs
    std::uint64_t malformed = 0;
};

/// Sends the rows of a CSV file as commands, one for each, in the order of the file. Needs the view
/// `sales`, which knows the rows that earlier runs stored: a file is recognised by its first row, and
/// one that differs later from what was imported is refused at the first stored row that differs.
///
/// The rows of one cart must reach it in that order, and none may be left out: the cart takes a row
/// that is not later than the last one it stored as decided. So rows are sent by one thread, never
/// sent again, as one chain: after the first error none is stored behind one that was not. The next
/// run starts at the first row and finds what is missing.
class importer {
public:
    importer(annals::runtime& to, const input& from, import_display& shown, import_options options);
    importer(const importer&) = delete;
    importer& operator=(const importer&) = delete;

    /// Reads to the end, to `stop_after` or until asked to stop, and waits until everything that was
    /// sent is durable. The error is the input's, or the first that a command was answered with.
    [[nodiscard]] annals::result<void> run();

    [[nodiscard]] const import_counts& counts() const noexcept { return counts_; }

private:
    /// A command on its way.
    struct sent_row {
        std::uint64_t row;
        std::string cart_id;
        annals::future<annals::receipt> answer;
    };

    void take(const csv_record& record);
    void send(const csv_record& record);
    [[nodiscard]] annals::result<void> recognise_input();
    [[nodiscard]] bool was_imported_otherwise() const;
    void check_end();
    void settle(std::size_t count);
    void settle_one(const sent_row& sent, const annals::outcome<annals::receipt>& answer);
    void fail(const sent_row& sent, const annals::error& why);
    void report_malformed(std::uint64_t line, std::string_view reason);

    annals::runtime& to_;
    csv_reader reader_;
    import_display& shown_;
    import_options options_;
    import_counts counts_;
    std::deque<sent_row> in_flight_; ///< in the order of the file
    row_checksum checksum_;
    std::uint32_t input_ = 0;    ///< which file it is; 0 before the first row
    stored_rows known_;          ///< of this input, by earlier runs
    std::uint64_t compared_ = 0; ///< the last row that was as stored
    std::optional<annals::error> failure_;
    /// After the first error no row is stored behind one that was not.
    std::shared_ptr<annals::command_chain> chain_ = std::make_shared<annals::command_chain>();
};

} // namespace retail
