#include "lmdb_views_verbs.hpp"

#include "lmdb/file/store_identity.hpp"
#include "lmdb/file/varint.hpp"

#include <sys/stat.h>

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

void write_file(const fs::path& path, std::string_view content) {
    std::ofstream(path, std::ios::binary) << content;
}

/// Three ways to open what lies in `directory`, each refused as `code` and leaving everything alone.
void require_refused(const fs::path& directory, errc code) {
    const auto before = files_of(directory);
    REQUIRE(refusal_to_open(directory) == code);
    REQUIRE(files_of(directory) == before);
    const auto verified = verify_store(directory, small_store());
    REQUIRE_FALSE(verified);
    REQUIRE(files_of(directory) == before);
}

void require_views_refused(const fs::path& directory, errc code) {
    const auto before = files_of(directory);
    REQUIRE(refusal_to_open_views(directory) == code);
    REQUIRE(files_of(directory) == before);
}

/// A closed store with some events and views.
struct closed_store {
    temporary_directory directory;
    fs::path path = directory.path() / "store";
    fs::path file = path / "journal.mdb";
    closed_store() {
        std::mt19937_64 random(7);
        append_randomly(*open_store(path), random, 40, 10);
        REQUIRE(put(*open_views(path), 1, {{"a", "1"}, {"b", std::string(9'000, 'x')}}) ==
                "applied");
    }
    /// As it is after a backup: the data files alone.
    void remove_lock_files() const {
        for (const auto* const name :
             {"annals.lock", "views.lock", "journal.mdb-lock", "views.mdb-lock"})
            fs::remove(path / name);
    }
};

/// The first two pages of a file as LMDB with another data version begins it. Since version 2 the header
/// of a page is 24 bytes long, it was 16.
std::string pages_of_data_version(std::uint32_t version) {
    const std::size_t header_bytes = version == 2 ? 24 : 16;
    std::string pages(20'000, '\0');
    for (const std::size_t page : {std::size_t{0}, std::size_t{4'096}}) {
        auto* const begin = reinterpret_cast<std::byte*>(pages.data()) + page;
        lmdb::put_fixed(begin + header_bytes - 6, std::uint16_t{0x08}); // a meta page
        lmdb::put_fixed(begin + header_bytes, std::uint32_t{0xBEEFC0DE});
        lmdb::put_fixed(begin + header_bytes + 4, version);
    }
    return pages;
}

void flip(const fs::path& file, std::size_t byte) {
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekg(static_cast<std::streamoff>(byte));
    const auto value = static_cast<char>(stream.get() ^ 0x10);
    stream.seekp(static_cast<std::streamoff>(byte));
    stream.put(value);
}

} // namespace

TEST_CASE("a refused opening leaves every byte, time and name as it was", "[lmdb]") {
    const bool fresh = GENERATE(false, true);
    closed_store store;
    if (fresh)
        store.remove_lock_files();
    const auto views = store.path / "views.mdb";

    SECTION("cut off") {
        for (const auto& file : {store.file, views})
            fs::resize_file(file, fs::file_size(file) / 2);
        require_refused(store.path, errc::corrupt);
        require_views_refused(store.path, errc::corrupt);
    }
    SECTION("not a store") {
        for (const auto& content : {std::string(), std::string("text"), std::string(20'000, 'x'),
                                    std::string(20'000, '\0')}) {
            write_file(store.file, content);
            write_file(views, content);
            require_refused(store.path, errc::not_a_store);
            require_views_refused(store.path, errc::not_a_store);
        }
    }
    SECTION("another version of LMDB") {
        for (const std::uint32_t version : {2U, 3U, 999U}) {
            write_file(store.file, pages_of_data_version(version));
            write_file(views, pages_of_data_version(version));
            require_refused(store.path, errc::incompatible_format);
            require_views_refused(store.path, errc::incompatible_format);
            const auto opened = open_lmdb_journal(store.path, small_store());
            REQUIRE(opened.error().message.find("data version is " + std::to_string(version)) !=
                    std::string::npos);
        }
    }
    SECTION("a damaged identity") {
        std::ifstream stream(store.file, std::ios::binary);
        const std::string bytes(std::istreambuf_iterator<char>(stream), {});
        for (auto at = bytes.find("annals\r\n"); at != std::string::npos;
             at = bytes.find("annals\r\n", at + 1))
            flip(store.file, at + 20);
        require_refused(store.path, errc::corrupt);
    }
    SECTION("a damaged page") {
        for (const auto& file : {store.file, views})
            for (std::size_t page = 2; page < fs::file_size(file) / 4'096; ++page)
                flip(file, page * 4'096 + 10);
        require_refused(store.path, errc::corrupt);
        require_views_refused(store.path, errc::corrupt);
    }
    SECTION("views of another log") {
        const auto before = files_of(store.path);
        const auto other = uuid::of_name("another log");
        REQUIRE(open_lmdb_projection_store(store.path, other, small_views()).error().code ==
                errc::not_a_store);
        REQUIRE(files_of(store.path) == before);
    }
    SECTION("options") {
        auto options = small_store();
        options.max_queued_bytes = 0;
        const auto before = files_of(store.path);
        REQUIRE(refusal_to_open(store.path, options) == errc::invalid_argument);
        REQUIRE(files_of(store.path) == before);
    }
}

TEST_CASE("a store that is open is refused without a trace", "[lmdb]") {
    const temporary_directory directory;
    const auto journal = open_store(directory.path());
    const auto views = open_views(directory.path());
    require_refused(directory.path(), errc::in_use);
    require_views_refused(directory.path(), errc::in_use);
}

TEST_CASE("a log that is missing beside its views is not begun anew", "[lmdb]") {
    const closed_store store;
    fs::remove(store.file);
    require_refused(store.path, errc::not_a_store);
    const auto why = open_lmdb_journal(store.path, small_store()).error().message;
    for (const auto* const part : {"journal.mdb", "journal.tail", "put the log back"})
        REQUIRE_THAT(why, Catch::Contains(part));
    fs::remove(store.path / "journal.tail"); // as where only the views were kept
    require_refused(store.path, errc::not_a_store);
    REQUIRE_THAT(open_lmdb_journal(store.path, small_store()).error().message,
                 Catch::Contains("views.mdb"));
    fs::remove(store.path / "views.mdb");
    REQUIRE(refusal_to_open(store.path) == errc{});
}

TEST_CASE("a link that leads nowhere is refused, not filled", "[lmdb]") {
    const temporary_directory directory;
    const auto path = directory.path() / "store";
    fs::create_directory(path);
    const auto nowhere = directory.path() / "nowhere";
    for (const auto* const name : {"journal.mdb", "views.mdb"}) {
        fs::create_symlink(nowhere, path / name);
        require_refused(path, errc::not_a_store);
        if (name == std::string("views.mdb"))
            require_views_refused(path, errc::not_a_store);
        fs::remove(path / name);
    }
    for (const auto* const name : {"annals.lock", "journal.mdb-lock"}) {
        open_store(path)->close();
        fs::remove(path / name);
        fs::create_symlink(nowhere, path / name);
        REQUIRE(refusal_to_open(path) == errc::not_a_store);
        fs::remove_all(path);
        fs::create_directory(path);
    }
    fs::create_directory_symlink(nowhere, directory.path() / "link");
    REQUIRE(refusal_to_open(directory.path() / "link") != errc{});
    REQUIRE(fs::is_symlink(directory.path() / "link"));
    REQUIRE_FALSE(fs::exists(nowhere));
}

TEST_CASE("what is no file in the place of one is refused at once, with its kind and its name",
          "[lmdb]") {
    const bool fresh = GENERATE(false, true);
    const std::string kind = GENERATE("FIFO", "socket", "directory", "symbolic link");
    const closed_store store;
    if (fresh)
        store.remove_lock_files();
    const auto put_at = [&](const fs::path& path) {
        fs::remove(path);
        if (kind == "FIFO")
            REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
        else if (kind == "socket")
            REQUIRE(::mknod(path.c_str(), S_IFSOCK | 0600, 0) == 0);
        else if (kind == "directory")
            fs::create_directory(path);
        else
            fs::create_symlink(store.directory.path() / "elsewhere", path);
    };
    /// In a process of its own that ends if it hangs. Catch2 is not to speak there.
    const auto is_refused = [&](const std::string& name, const auto& open) {
        const auto code = in_child([&] {
            ::alarm(20);
            const auto opened = open();
            if (opened)
                return 90;
            if (opened.error().message.find(name) == std::string::npos)
                return 91;
            if (name != "journal.mdb" && name != "views.mdb" &&
                opened.error().message.find("is a " + kind) == std::string::npos)
                return 92;
            return static_cast<int>(opened.error().code);
        });
        CHECK(code == static_cast<int>(errc::not_a_store));
    };
    const auto open_log = [&] { return open_lmdb_journal(store.path, small_store()); };
    const auto verify_log = [&] { return verify_store(store.path, small_store()); };
    const auto open_rows = [&] {
        return open_lmdb_projection_store(store.path, the_log, small_views());
    };
    for (const std::string name : {"journal.tail", "annals.lock", "journal.mdb-lock", "journal.mdb",
                                   "views.lock", "views.mdb-lock", "views.mdb"}) {
        INFO(kind << " as " << name << (fresh ? ", after a backup" : ""));
        const auto kept = store.directory.path() / "kept";
        if (fs::exists(store.path / name))
            fs::rename(store.path / name, kept);
        put_at(store.path / name);
        const auto before = files_of(store.path);
        if (name.starts_with("views"))
            is_refused(name, open_rows);
        else
            is_refused(name, open_log);
        if (name == "journal.tail" || name == "journal.mdb")
            is_refused(name, verify_log);
        REQUIRE(files_of(store.path) == before);
        fs::remove(store.path / name);
        if (fs::exists(kept))
            fs::rename(kept, store.path / name);
    }
    for (const std::string name : {"journal.tail", "annals.lock", "journal.mdb-lock"}) {
        INFO(kind << " as " << name << " where there is no store");
        const auto empty = store.directory.path() / "empty";
        fs::create_directory(empty);
        put_at(empty / name);
        const auto before = files_of(empty);
        is_refused(name, [&] { return open_lmdb_journal(empty, small_store()); });
        REQUIRE(files_of(empty) == before);
        fs::remove_all(empty);
    }
}

TEST_CASE("a store that may only be read is verified, and nothing changes", "[lmdb]") {
    const bool fresh = GENERATE(false, true);
    const closed_store store;
    if (fresh)
        store.remove_lock_files();
    fs::permissions(store.directory.path(), fs::perms::all);
    for (const auto& entry : fs::directory_iterator(store.path))
        fs::permissions(entry.path(),
                        fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read);
    fs::permissions(store.path, fs::perms::owner_read | fs::perms::owner_exec |
                                    fs::perms::group_read | fs::perms::group_exec |
                                    fs::perms::others_read | fs::perms::others_exec);
    const auto before = files_of(store.path);
    REQUIRE(in_child([&] {
                if (::geteuid() == 0 && ::seteuid(65'534) != 0)
                    return 1;
                const auto verified = verify_store(store.path, small_store());
                return verified ? 0 : static_cast<int>(verified.error().code);
            }) == 0);
    REQUIRE(verify_store(store.path, small_store()));
    REQUIRE(files_of(store.path) == before);
    fs::permissions(store.path, fs::perms::owner_all);
}

TEST_CASE("a store whose last pages were never written is opened", "[lmdb]") {
    const temporary_directory directory;
    const auto file = directory.path() / "views.mdb";
    {
        const auto store = open_views(directory.path());
        REQUIRE(put(*store, 1, {{"a", std::string(100'000, 'x')}}) == "applied");
        for (int i = 0; i != 8; ++i) // the pages of the small rows move to the front
            REQUIRE(put(*store, 1, {{"a", std::to_string(i)}}) == "applied");
    }
    // The pages of the large value are free now; the end of the file is theirs.
    const auto size = fs::file_size(file);
    std::uintmax_t lost = 0;
    while (refusal_to_open_views(directory.path()) == errc{} && lost < 20) {
        REQUIRE(fs::file_size(file) == size); // completed before LMDB maps it
        fs::resize_file(file, size - ++lost * 4'096);
    }
    REQUIRE(lost > 4);
}
