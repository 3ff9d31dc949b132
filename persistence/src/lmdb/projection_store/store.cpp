#include "lmdb/projection_store/store.hpp"

#include "lmdb/file/quiet_thread.hpp"
#include "lmdb/file/reader_table.hpp"
#include "lmdb/projection_store/writer.hpp"

#include <algorithm>

namespace annals {
namespace lmdb {

views_store::views_store(open_views opened, const projection_store_options& chosen)
    : options(chosen),
      files(std::move(opened)),
      readers(files.file.env.get(), files.table) {
    if (files.next_space > catalog_space)
        spaces.use(files.next_space - 1);
    spaces.use(files.used_to);
}

std::optional<error> views_store::unusable() const {
    if (fork_generation() == born_in)
        return std::nullopt;
    return after_fork_error();
}

void views_store::run_writer() {
    views_writer(*this).run();
    if (options.unsafe_no_sync) // closed in good order, it is as durable as any store
        mdb_env_sync(files.file.env.get(), 1);
    readers.close();
    files.file.env.reset();
    files.file.lock = {};
}

namespace {

class lmdb_projection_store final : public projection_store, public row_checking {
public:
    explicit lmdb_projection_store(std::shared_ptr<views_store> opened)
        : store_(std::move(opened)) {
        writer_ = start_without_signals([store = store_] { store->run_writer(); });
        writer_id_ = writer_.get_id();
    }

    ~lmdb_projection_store() override {
        if (store_->unusable())
            abandon();
        else
            close();
        if (writer_.joinable())
            writer_.detach(); // house_style: dropped by a callback, on the writer's own thread
    }
    lmdb_projection_store(const lmdb_projection_store&) = delete;
    lmdb_projection_store& operator=(const lmdb_projection_store&) = delete;

    void apply(row_changes changes, applied done) override {
        if (auto why = store_->unusable())
            return refuse(done, *why);
        static_cast<void>(changes.sorted()); // here, where several threads can do it at once
        queued_change change{std::move(changes), std::move(done)};
        if (!store_->queue.push(change))
            refuse(change.done, views_closed());
    }

    [[nodiscard]] result<std::unique_ptr<row_snapshot>> snapshot() const override {
        if (auto why = store_->unusable())
            return *why;
        return take_snapshot(store_);
    }

    [[nodiscard]] row_space new_space() override { return store_->spaces.take(); }

    [[nodiscard]] result<void> keep_only(std::span<const row_space> spaces) override {
        if (auto why = store_->unusable())
            return *why;
        if (on_writer_thread())
            return error{errc::would_deadlock,
                         "keep_only waits for the disk; call it outside of callbacks"};
        const auto found = spaces_with_rows(store_);
        if (!found)
            return found.error();
        row_changes changes;
        for (const auto space : *found)
            if (space != catalog_space && std::ranges::find(spaces, space) == spaces.end())
                changes.drop(space);
        return changes.empty() ? result<void>() : apply_and_wait(*this, std::move(changes));
    }

    [[nodiscard]] result<void> check_rows(row_space space, space_check& at) const override {
        if (auto why = store_->unusable())
            return *why;
        return check_rows_of(store_, space, at);
    }

    [[nodiscard]] bool durable() const noexcept override { return !store_->options.unsafe_no_sync; }

    [[nodiscard]] std::vector<std::string> warnings() const override {
        if (store_->unusable())
            return {};
        auto open = store_->readers.enter(); // keeps the environment
        if (!open)
            return {};
        std::vector<std::string> all;
        if (auto old = warn_of_old_reader(store_->files.file.env.get(), store_->files.file.path))
            all.push_back(*std::move(old));
        store_->readers.leave(*std::move(open));
        return all;
    }

    void close() override {
        if (store_->unusable())
            return;
        store_->queue.close();
        if (on_writer_thread())
            return; // a callback closes: the writer goes on until all is done
        const std::lock_guard lock(closing_);
        if (writer_.joinable())
            writer_.join();
    }

private:
    [[nodiscard]] bool on_writer_thread() const noexcept {
        return writer_id_ == std::this_thread::get_id();
    }
    static void refuse(const applied& done, const error& why) {
        if (done)
            done(why);
    }
    /// In a forked child: the writer's thread and whatever it had locked exist in the parent only.
    void abandon() {
        new std::shared_ptr<views_store>(store_); // house_style: never to be released
    }

    std::shared_ptr<views_store> store_;
    std::mutex closing_; ///< held by who waits for the writer
    std::thread writer_;
    std::thread::id writer_id_;
};

} // namespace
} // namespace lmdb

result<std::shared_ptr<projection_store>>
open_lmdb_projection_store(const std::filesystem::path& directory, const uuid& log,
                           const projection_store_options& options) {
    const lmdb::file_size_signal_blocked meanwhile;
    auto files = lmdb::open_or_create_views(directory, log, options);
    if (!files)
        return files.error();
    try {
        return std::shared_ptr<projection_store>(std::make_shared<lmdb::lmdb_projection_store>(
            std::make_shared<lmdb::views_store>(*std::move(files), options)));
    } catch (const std::system_error&) {
        return lmdb::no_thread();
    }
}

} // namespace annals
