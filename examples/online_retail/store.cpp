#include "store.hpp"

#include "domain.hpp"

#include <string>
#include <system_error>

namespace retail {

namespace {

/// Less than this and a commit may not fit.
constexpr std::uintmax_t too_little_room = std::uintmax_t{1} << 20;

/// A disk that is full fails in several ways, not all of which say so.
bool may_come_from_a_full_disk(annals::errc code) {
    return code == annals::errc::io_error || code == annals::errc::outcome_unknown ||
           code == annals::errc::unavailable || code == annals::errc::predecessor_failed;
}

bool is_full(const std::filesystem::path& store) {
    std::error_code failed;
    const auto room = std::filesystem::space(store, failed);
    return !failed && room.available < too_little_room;
}

int weight_of(annals::errc code) {
    switch (code) {
    case annals::errc::predecessor_failed:
    case annals::errc::aborted:
        return 0;
    case annals::errc::outcome_unknown:
    case annals::errc::unavailable:
        return 1;
    case annals::errc::disk_full:
        return 3;
    default:
        return 2;
    }
}

} // namespace

bool explains_more(annals::errc a, annals::errc b) {
    return weight_of(a) > weight_of(b);
}

annals::result<void> check_events(const annals::journal& log) {
    const auto page = log.read_all(0, 1);
    if (!page)
        return page.error();
    if (page->events.empty())
        return {};
    const annals::stored_event& first = page->events.front();
    if (first.type == annals::event_name<item_added>() &&
        annals::from_bytes<item_added>(first.payload))
        return {};
    return annals::error{annals::errc::unknown_event,
                         "the store holds the events of another program, not invoice lines; choose "
                         "another directory"};
}

annals::error name_full_disk(annals::error why, const std::filesystem::path& store) {
    if (why.code == annals::errc::disk_full ||
        (may_come_from_a_full_disk(why.code) && is_full(store)))
        return {annals::errc::disk_full,
                "the disk is full: make room under " + store.string() + ". (" + why.message + ")"};
    return why;
}

} // namespace retail
