#include "lmdb/journal/journal.hpp"

#include "lmdb/file/quiet_thread.hpp"
#include "lmdb/file/reader_table.hpp"
#include "lmdb/journal/store.hpp"
#include "lmdb/journal/subscription.hpp"

namespace annals {
namespace lmdb {
namespace {

class lmdb_journal final : public journal {
public:
    explicit lmdb_journal(std::shared_ptr<store> opened) : store_(std::move(opened)) {
        writer_ = start_without_signals([store = store_] { store->run_writer(); });
        writer_id_ = writer_.get_id();
    }

    ~lmdb_journal() override {
        if (store_->unusable())
            abandon();
        else
            close();
        if (writer_.joinable())
            writer_.detach(); // house_style: dropped by a completion, on the writer's own thread
    }
    lmdb_journal(const lmdb_journal&) = delete;
    lmdb_journal& operator=(const lmdb_journal&) = delete;

    [[nodiscard]] uuid id() const noexcept override { return store_->files.identity.id; }

    [[nodiscard]] journal_capabilities capabilities() const noexcept override {
        return store_->capabilities;
    }

    void append(std::shared_ptr<append_operation> operation) override {
        if (auto why = store_->unusable())
            return refuse(std::move(operation), *why);
        if (auto pushed = store_->queue.push(operation); !pushed)
            refuse(std::move(operation), pushed.error());
    }

    [[nodiscard]] result<event_page> read_stream(std::string_view stream, stream_version from,
                                                 std::size_t max, direction way) const override {
        if (auto why = store_->unusable())
            return *why;
        if (auto named = check_stream_name(stream); !named)
            return named.error();
        return store_->reads.read_stream(stream, from, max, way);
    }
    [[nodiscard]] result<event_page> read_all(log_position after, std::size_t max,
                                              const event_filter& filter) const override {
        if (auto why = store_->unusable())
            return *why;
        return store_->reads.read_all(after, max, filter);
    }
    [[nodiscard]] log_position head() const noexcept override { return store_->head.load(); }
    [[nodiscard]] journal_health health() const noexcept override {
        const auto& gauge = store_->gauge;
        return {.rebuilding = gauge.rebuilding.load(),
                .rebuilds = gauge.rebuilds.load(),
                .rebuilt_through = gauge.rebuilt_through.load(),
                .checked_through = gauge.checked_through.load(),
                .checks_completed = gauge.checks_completed.load()};
    }

    [[nodiscard]] result<stream_info> describe(std::string_view stream) const override {
        if (auto why = store_->unusable())
            return *why;
        if (auto named = check_stream_name(stream); !named)
            return named.error();
        return store_->reads.describe(stream);
    }

    [[nodiscard]] std::vector<std::string> warnings() const override {
        if (store_->unusable())
            return {};
        const auto open = store_->gate.enter(); // keeps the environment
        if (!open)
            return {};
        std::vector<std::string> all;
        if (auto old = warn_of_old_reader(store_->files.env.get(), store_->files.path))
            all.push_back(*std::move(old));
        return all;
    }

    [[nodiscard]] result<std::unique_ptr<subscription>>
    subscribe(log_position after, event_filter filter, std::function<void()> wake) override {
        if (auto why = store_->unusable())
            return *why;
        if (store_->gate.closed())
            return journal_closed();
        return std::unique_ptr<subscription>(
            std::make_unique<log_subscription>(store_, after, std::move(filter), std::move(wake)));
    }

    void close() override {
        if (store_->unusable())
            return;
        store_->queue.close();
        if (on_writer_thread())
            return; // a completion closes: the writer goes on until all is done
        const std::lock_guard lock(closing_);
        if (writer_.joinable())
            writer_.join();
    }

private:
    [[nodiscard]] bool on_writer_thread() const noexcept {
        return writer_id_ == std::this_thread::get_id();
    }
    /// Answers every commit of `operation` with `why`, on the caller's thread.
    void refuse(std::shared_ptr<append_operation> operation, const error& why) {
        const auto commits = operation->commits();
        for (const auto& each : commits)
            each.break_pipeline();
        std::unique_lock lock(refusing_, std::defer_lock);
        if (why.code != errc::after_fork) // there it may be locked by a thread that is not
            lock.lock();
        operation->completed(std::vector<append_result>(commits.size(), why));
    }

    /// In a forked child: the writer's thread and whatever it had locked exist in the parent only.
    void abandon() {
        new std::shared_ptr<store>(store_); // house_style: never to be released
    }

    std::shared_ptr<store> store_;
    std::recursive_mutex refusing_; ///< one at a time, but a refusal may append again
    std::mutex closing_;            ///< held by who waits for the writer
    std::thread writer_;
    std::thread::id writer_id_;
};

/// The store of `files` with its heads brought up to date. Where the index is damaged, or of an
/// earlier format, another one is made from the log.
result<std::shared_ptr<store>> open_with_index(open_store files, const lmdb_options& options) {
    auto state = read_state(files.env.get(), files.table, files.damaged_tables);
    if (!state)
        return state.error();
    if (files.earlier_format)
        state->index = {};
    const bool pages_damaged = !state->index_damage.empty() && !files.earlier_format;
    for (std::uint64_t rebuilds = pages_damaged ? 1 : 0;; ++rebuilds) {
        if (state->index.generation == 0)
            if (auto begun = begin_index(files.env.get(), files.table, files.identity, *state);
                !begun)
                return begun.error();
        auto opened = std::make_shared<store>(std::move(files), *state, options);
        bool damaged = false;
        auto replayed = replay_heads(opened->files.env.get(), opened->files.table, *state,
                                     opened->heads, opened->flush, options.cached_streams, damaged);
        opened->gauge.rebuilds = rebuilds;
        if (replayed)
            return opened;
        if (!damaged || rebuilds != 0)
            return replayed.error();
        files = std::move(opened->files);
        state->index = {};
    }
}

} // namespace

result<std::shared_ptr<journal>> open_journal(const std::filesystem::path& directory,
                                              const lmdb_options& options,
                                              const look_beside& look) {
    const file_size_signal_blocked meanwhile;
    auto files = open_or_create(directory, options, look);
    if (!files)
        return files.error();
    auto opened = open_with_index(std::move(*files), options);
    if (!opened)
        return opened.error();
    try {
        return std::shared_ptr<journal>(std::make_shared<lmdb_journal>(*std::move(opened)));
    } catch (const std::system_error&) {
        return no_thread();
    }
}

} // namespace lmdb

result<std::shared_ptr<journal>> open_lmdb_journal(const std::filesystem::path& directory,
                                                   const lmdb_options& options) {
    return lmdb::open_journal(directory, options, {});
}

} // namespace annals
