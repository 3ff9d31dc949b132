#include "importer.hpp"

#include "numbers.hpp"
#include "rows.hpp"

#include <utility>

namespace retail {

importer::importer(annals::runtime& to, const input& from, import_display& shown,
                   import_options options)
    : to_(to),
      // While the input pauses, what was read so far is finished and shown.
      reader_(from.source([this] { settle(in_flight_.size()); })),
      shown_(shown),
      options_(std::move(options)) {}

annals::result<void> importer::run() {
    if (auto header = read_header(); !header)
        return header;
    while (!failure_ && counts_.rows < options_.stop_after && !options_.stop_requested()) {
        const csv_record* record = reader_.next();
        if (record == nullptr)
            break;
        ++counts_.rows;
        send(*record);
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

annals::result<void> importer::read_header() {
    const csv_record* header = reader_.next();
    if (options_.stop_requested())
        return {};
    if (reader_.failure())
        return *reader_.failure();
    if (header != nullptr && header->fault.empty() && is_header(header->fields))
        return {};
    return annals::error{annals::errc::invalid_argument,
                         "the input does not begin with the header InvoiceNo,StockCode,Description,"
                         "Quantity,InvoiceDate,UnitPrice,CustomerID,Country"};
}

void importer::send(const csv_record& record) {
    const std::uint64_t row = counts_.rows;
    if (!record.fault.empty())
        return report_malformed(record.line, record.fault);
    auto read = read_row(record.fields, row);
    if (const auto* malformed = std::get_if<malformed_row>(&read))
        return report_malformed(record.line, malformed->reason);
    auto& [cart_id, command] = *std::get_if<row_command>(&read);
    annals::send_options options;
    options.about.command_id = annals::uuid::of_name("row-" + std::to_string(row));
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
    if (!failure_)
        failure_ = {why.code, "row " + std::to_string(sent.row) + " was not stored: " +
                                  why.message + "; run it again, it will continue"};
}

void importer::report_malformed(std::uint64_t line, std::string_view reason) {
    if (++counts_.malformed <= options_.max_malformed_reports)
        shown_.print("line " + std::to_string(line) + ": " + std::string(reason) + "; row skipped");
}

} // namespace retail
