// What the projection store's format looks like on disk, for ever. tests/golden/views_v2 holds
//   views.mdb    a projection store that version 2 wrote
//   tables.txt   every key and value that the same changes lead to, in hex
// and tests/golden/views_v1 the same of version 1, which had neither links nor notes about spaces.
// If one of these tests fails, existing stores would not be read any more: raise the format version,
// keep reading the old one, and add a directory for the new one.

#include "golden_text.hpp"
#include "lmdb_views_verbs.hpp"

#include "annals/projection_catalog.hpp"
#include "support/places.hpp"

#include <future>
#include <sstream>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

constexpr row_space demand_rows = 1;
constexpr row_space copy_parts = 2;
constexpr row_space mail_checkpoint = 3;
constexpr row_space dropped_rows = 0x01020304;

fs::path golden(const std::string& version = "views_v2") {
    return source_directory() / "tests" / "golden" / version;
}

projection_record demand() {
    projection_record record;
    record.kind = static_cast<std::uint8_t>(projection_kind::stored_view);
    record.serving.space = demand_rows;
    record.serving.version = 2;
    record.serving.shape = "units,totals";
    record.serving.since = 41;
    record.building.space = copy_parts;
    record.building.version = 3;
    return record;
}

projection_record mail() {
    projection_record record;
    record.kind = static_cast<std::uint8_t>(projection_kind::reaction);
    record.paused = true;
    record.serving.space = mail_checkpoint;
    return record;
}

constexpr checkpoint_record reached{.done = 300, .begun = 301, .events = 70'000, .bytes = 11};

set_aside_event unsent() {
    return {.position = 256,
            .stream = "order-\xc3\xa9t\xc3\xa9",
            .type = "order.paid",
            .code = "handler_failed",
            .message = "the mail server is away",
            .attempts = 3,
            .time_us = 1'291'191'960'000'000};
}

row_changes golden_changes() {
    row_changes changes;
    catalog::put(changes, "demand", demand());
    catalog::put(changes, "mail", mail());
    catalog::put_checkpoint(changes, mail_checkpoint, reached);
    catalog::put_checkpoint(changes, copy_parts, reached);
    catalog::put_set_aside(changes, "mail", unsent());
    changes.put(demand_rows, raw(std::string_view("a\0b", 3)), raw("nul"));
    changes.put(demand_rows, raw("empty"), {});
    changes.put(demand_rows, raw(std::string(max_row_key_bytes, '\xff')), raw("last"));
    catalog::put_copy_part(changes, copy_parts, 0, raw("a saved "));
    catalog::put_copy_part(changes, copy_parts, 1, raw("copy"));
    catalog::put_copy_part(changes, copy_parts, 1, raw("one"));
    changes.put(dropped_rows, raw("a"), raw("nobody sees this"));
    return changes;
}

void write_views(const fs::path& directory) {
    const auto store = open_views(directory);
    REQUIRE(apply_and_wait(*store, golden_changes()));
    row_changes changes;
    changes.drop(dropped_rows);
    std::promise<void> closing; // before the dropped rows are erased
    store->apply(std::move(changes), [&](const result<void>&) {
        store->close();
        closing.set_value();
    });
    closing.get_future().get();
}

/// Table, key and value of every entry, one in a line. Of the identity, which names the time of its
/// making, only the magic, the version and the log.
std::string tables_of(const fs::path& directory) {
    std::ostringstream text;
    for (const auto* table : {"rows", "meta"})
        for (const auto& [key, value] : views_entries(directory, table)) {
            const bool is_identity = key == "views";
            text << table << ' ' << hex(key) << ' '
                 << hex(is_identity ? value.substr(0, 12) + value.substr(16, 16) : value) << '\n';
        }
    return text.str();
}

} // namespace

TEST_CASE("today's projection store has the bytes of format version 2", "[views][golden]") {
    const temporary_directory directory;
    write_views(directory.path());
    REQUIRE(tables_of(directory.path()) == read_text(golden() / "tables.txt"));
}

TEST_CASE("a projection store that an earlier version or this one wrote is read and continued",
          "[views][golden]") {
    const auto version = GENERATE(as<std::string>{}, "views_v1", "views_v2");
    const temporary_directory directory;
    fs::copy_file(golden(version) / "views.mdb", directory.path() / "views.mdb");
    REQUIRE(tables_of(directory.path()) == read_text(golden(version) / "tables.txt"));
    const auto identity = views_entries(directory.path(), "meta").at("views");
    open_views(directory.path())->close();
    // What version 1 wrote is as if this one had written it, but for rows that were dropped and that the
    // opening may have erased.
    const auto upgraded = views_entries(directory.path(), "meta").at("views");
    REQUIRE(upgraded.substr(16) == identity.substr(16)); // the log and the time
    REQUIRE(upgraded[8] == 2);
    const auto store = open_views(directory.path());
    {
        const auto now = store->snapshot().value();
        using record = std::pair<std::string, projection_record>;
        REQUIRE(catalog::list(*now).value() ==
                std::vector{record("demand", demand()), record("mail", mail())});
        REQUIRE(catalog::find_checkpoint(*now, mail_checkpoint).value() == reached);
        REQUIRE(catalog::find_set_aside(*now, "mail", 256).value() == unsent());
        REQUIRE(text_of(catalog::read_copy(*now, copy_parts, reached).value()) == "a saved one");
        REQUIRE(all_rows(*now, demand_rows) ==
                rows{{std::string("a\0b", 3), "nul"},
                     {"empty", ""},
                     {std::string(max_row_key_bytes, '\xff'), "last"}});
        REQUIRE(all_rows(*now, dropped_rows).empty());
    }
    REQUIRE(store->new_space() > dropped_rows);
    REQUIRE(catalog::sweep(*store));
    REQUIRE(put(*store, demand_rows, {{"empty", "no more"}}) == "applied");
    REQUIRE(value_of(*store, demand_rows, "empty") == "no more");
}

TEST_CASE("write the golden files of a new format version of the projection store",
          "[.write-golden]") {
    if (std::getenv("ANNALS_WRITE_GOLDEN") == nullptr)
        return; // some filters run hidden tests as well
    fs::create_directories(golden());
    const temporary_directory directory;
    write_views(directory.path());
    fs::copy_file(directory.path() / "views.mdb", golden() / "views.mdb",
                  fs::copy_options::overwrite_existing);
    std::ofstream(golden() / "tables.txt", std::ios::binary) << tables_of(directory.path());
}
