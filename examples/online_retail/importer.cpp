#include "importer.hpp"

#include "numbers.hpp"
#include "rows.hpp"
#include "store.hpp"

#include <chrono>
#include <utility>
#include <variant>

namespace retail {

importer::importer(annals::runtime& to, const input& from, import_display& shown,
                   import_options options)
    : to_(to),
      // While the input pauses, what was read so far is finished and shown.
      reader_(from.source([this] { settle(in_flight_.size()); })),
      shown_(shown),
      options_(std::move(options)) {}

annals::result<void> importer::run() {
    if (auto header = read_header(reader_); !header) {
        if (options_.stop_requested())
            return {};
        return header;
    }
    while (!failure_ && counts_.rows < options_.stop_after && !options_.stop_requested()) {
        const csv_record* record = reader_.next();
        if (record == nullptr) {
            check_end();
            break;
        }
        take(*record);
        if (in_flight_.size() >= options_.window)
            settle(options_.window / 4);
    }
    settle(in_flight_.size());
    if (counts_.malformed > options_.max_malformed_reports)
        shown_.print("further " + grouped(counts_.malformed - options_.max_malformed_reports) +
                     " malformed rows not shown");
    if (failure_)
        return *failure_;
    if (reader_.failure() && !options_.stop_requested())
        return *reader_.failure();
    return {};
}

/// Sends the row, unless it is not what an earlier run stored as this row of this file.
void importer::take(const csv_record& record) {
    checksum_.add(record);
    if (input_ == 0) {
        input_ = checksum_.value();
        if (auto recognised = recognise_input(); !recognised) {
            failure_ = recognised.error();
            return;
        }
    }
    ++counts_.rows;
    if (!was_imported_otherwise())
        return send(record);
    --counts_.rows;
    failure_ = {annals::errc::invalid_argument,
                "the file with this first row has been imported before, and row " +
                    grouped(counts_.rows + 1) + " (line " + grouped(record.line) +
                    "), or one before it, was different then. Rows from there on are not imported; "
                    "import the changed file into a store of its own"};
}

/// Asks what is stored of the file that begins like this one.
annals::result<void> importer::recognise_input() {
    annals::ask_options all = annals::latest();
    all.timeout = std::chrono::minutes(10); // the view may have to fold the log first
    auto known = to_.ask(rows_of_input{input_}, all).get();
    if (known.is_error())
        return known.error();
    known_ = std::move(known).value();
    if (known_.of_unknown_input)
        return annals::error{annals::errc::incompatible_format,
                             "the store was filled by an older version of this program, which did "
                             "not remember from which file; import into a new store"};
    return {};
}

bool importer::was_imported_otherwise() const {
    const std::uint64_t row = counts_.rows;
    return row < known_.so_far.size() && known_.so_far[row] != 0 &&
           known_.so_far[row] != checksum_.value();
}

/// A file that became shorter is the same one only if its last rows could be compared.
void importer::check_end() {
    if (reader_.failure() || options_.stop_requested() || compared_ == counts_.rows ||
        known_.so_far.size() <= counts_.rows + 1)
        return;
    failure_ = {annals::errc::invalid_argument,
                "the file with this first row has been imported before and was longer then. Of its "
                "rows after " +
                    grouped(compared_) + " it is not known whether they are the same"};
}

void importer::send(const csv_record& record) {
    const std::uint64_t row = counts_.rows;
    if (row < known_.so_far.size() && known_.so_far[row] != 0)
        compared_ = row;
    if (!record.fault.empty())
        return report_malformed(record.line, record.fault);
    auto read = read_row(record.fields, row);
    if (const auto* malformed = std::get_if<malformed_row>(&read))
        return report_malformed(record.line, malformed->reason);
    auto& [cart_id, command] = *std::get_if<row_command>(&read);
    std::visit(
        [this](auto& changes) {
            changes.line.input = input_;
            changes.line.so_far = checksum_.value();
        },
        command);
    annals::send_options options;
    options.about.command_id =
        annals::uuid::of_name("row-" + std::to_string(input_) + "-" + std::to_string(row));
    options.chain = chain_;
    auto answer = to_.send(cart_id, std::move(command), std::move(options));
    in_flight_.push_back({row, std::move(cart_id), std::move(answer)});
}

/// Takes the answers of the `count` oldest commands. Waits for the last of them first: one sleep for
/// all, since the others are answered by then, or nearly.
void importer::settle(std::size_t count) {
    if (count == 0)
        return;
    (void)in_flight_[count - 1].answer.get();
    for (; count != 0; --count) {
        const sent_row& oldest = in_flight_.front();
        settle_one(oldest, oldest.answer.get());
        in_flight_.pop_front();
    }
    shown_.update(counts_.rows - in_flight_.size(), reader_.consumed());
}

void importer::settle_one(const sent_row& sent, const annals::outcome<annals::receipt>& answer) {
    if (answer.is_error())
        return fail(sent, answer.error());
    if (answer.is_rejected()) {
        const auto code = counts_.rejected.try_emplace(answer.rejection().code).first;
        ++code->second;
    } else if (answer->what == annals::receipt::kind::stored) {
        ++counts_.accepted;
    } else {
        ++counts_.already_stored;
    }
}

void importer::fail(const sent_row& sent, const annals::error& why) {
    if (!failure_ || explains_more(why.code, failure_->code))
        failure_ = {why.code, "row " + std::to_string(sent.row) + " was not stored: " +
                                  why.message + "; run it again, it will continue"};
}

void importer::report_malformed(std::uint64_t line, std::string_view reason) {
    if (++counts_.malformed <= options_.max_malformed_reports)
        shown_.print("line " + std::to_string(line) + ": " + std::string(reason) + "; row skipped");
}

} // namespace retail
