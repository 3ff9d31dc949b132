#include "support/directory_state.hpp"
#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <functional>

/// An opening that is refused has changed nothing: no byte, no size, no time, no name.

using namespace annals;
using namespace annals::test;
namespace fs = std::filesystem;

namespace {

/// What lies around a store that an opening may be refused for.
struct place {
    temporary_directory directory;
    fs::path path = directory.path() / "store";

    [[nodiscard]] config settings() const {
        config with;
        with.actor_threads = 2;
        with.store.max_store_bytes = std::size_t{1} << 30;
        with.directory = path;
        return with;
    }
};

/// A store with something in it, as it is when its process was killed, or after closing; without the
/// files that opening makes anew, so that it is seen when they are made.
void fill(const place& at, bool killed) {
    const event_store original;
    auto rt = open_shop(original.settings());
    for (int i = 0; i != 50; ++i)
        REQUIRE(rt.send(std::to_string(i), shop::add_item{"tea", 2}).get());
    if (!killed)
        REQUIRE(rt.close());
    fs::create_directory(at.path);
    for (const auto* const name : {"journal.mdb", "journal.tail", "views.mdb"})
        if (fs::exists(original.path() / name))
            fs::copy_file(original.path() / name, at.path / name);
}

struct attempt {
    const char* what;
    std::function<errc(config)> open;
};

template <class... Hosted>
errc refusal(config with, const Hosted&... types) {
    const auto opened = runtime::open(std::move(with), types...);
    return opened ? errc{} : opened.error().code;
}

const std::vector<attempt>& attempts() {
    const auto changed = [](auto change) {
        return [change](config with) {
            change(with);
            return refusal(std::move(with), host<shop::cart>, host<shop::demand>);
        };
    };
    static const std::vector<attempt> all = {
        {"an aggregate twice",
         [](const config& with) { return refusal(with, host<shop::cart>, host<shop::cart>); }},
        {"a view twice",
         [](const config& with) { return refusal(with, host<shop::demand>, host<shop::demand>); }},
        {"a limit of 0", changed([](config& with) { with.limits.max_commands_in_flight = 0; })},
        {"a long id", changed([](config& with) { with.limits.max_id_bytes = 1'000; })},
        {"a small batch of views",
         changed([](config& with) { with.views.max_batch_bytes = 1'000; })},
        {"a large batch of views",
         changed([](config& with) { with.views.max_batch_bytes = std::size_t{1} << 30; })},
        {"a small store of views", changed([](config& with) { with.views.max_store_bytes = 1; })},
        {"an empty batch", changed([](config& with) { with.store.max_batch_bytes = 0; })},
    };
    return all;
}

} // namespace

TEST_CASE("what can be refused without the disk is refused before it is touched") {
    const place here;
    SECTION("no directory yet") {}
    SECTION("a closed store") {
        fill(here, false);
    }
    SECTION("a store whose process was killed") {
        fill(here, true);
    }
    const auto before = files_of(here.directory.path());
    for (const auto& each : attempts()) {
        INFO(each.what);
        CHECK(each.open(here.settings()) == errc::invalid_argument);
        CHECK(files_of(here.directory.path()) == before);
    }
    REQUIRE(runtime::open(here.settings(), host<shop::cart>));
}

TEST_CASE("views that cannot be opened are found before the journal is touched") {
    const bool killed = GENERATE(false, true);
    const place here;
    fill(here, killed);
    const auto views = here.path / "views.mdb";
    auto code = errc::not_a_store;
    SECTION("of another store") {
        const place other;
        fill(other, false);
        fs::copy_file(other.path / "views.mdb", views, fs::copy_options::overwrite_existing);
    }
    SECTION("of another program") {
        std::ofstream(views, std::ios::binary) << std::string(20'000, 'x');
    }
    SECTION("cut off") {
        fs::resize_file(views, fs::file_size(views) / 2);
        code = errc::corrupt;
    }
    SECTION("no file in the place of its lock") {
        fs::create_directory(here.path / "views.lock");
        const auto before = files_of(here.directory.path());
        REQUIRE(refusal(here.settings(), host<shop::cart>) == code);
        REQUIRE(files_of(here.directory.path()) == before);
        return;
    }
    SECTION("open elsewhere") {
        const auto log = open_lmdb_journal(here.path, here.settings().store).value();
        const auto store = open_lmdb_projection_store(here.path, log->id(), {}).value();
        log->close();
        const auto before = files_of(here.directory.path());
        REQUIRE(refusal(here.settings(), host<shop::cart>) == errc::in_use);
        REQUIRE(files_of(here.directory.path()) == before);
        return;
    }
    const auto before = files_of(here.directory.path());
    const auto opened = runtime::open(here.settings(), host<shop::cart>);
    REQUIRE_FALSE(opened);
    REQUIRE(opened.error().code == code);
    REQUIRE(opened.error().message.find("views.mdb") != std::string::npos);
    REQUIRE(opened.error().message.find("journal.mdb") == std::string::npos);
    REQUIRE(files_of(here.directory.path()) == before);
    fs::remove(views);
    REQUIRE(runtime::open(here.settings(), host<shop::cart>));
}
