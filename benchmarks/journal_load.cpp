#include "journal_load.hpp"

#include "account.hpp"

#include <annals/lmdb_journal.hpp>

#include <array>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace bench {

namespace {

/// "account-17", without a trip to the heap.
class stream_name {
public:
    explicit stream_name(std::size_t account) {
        constexpr std::string_view category = "account-";
        char* const end = std::copy(category.begin(), category.end(), text_.data());
        const auto done = std::to_chars(end, text_.data() + text_.size(), account);
        size_ = static_cast<std::size_t>(done.ptr - text_.data());
    }
    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

private:
    std::array<char, 32> text_;
    std::size_t size_;
};

annals::uuid command_id_of(std::uint64_t number) {
    annals::uuid made;
    std::memcpy(made.bytes.data(), "annals-b", 8);
    std::memcpy(made.bytes.data() + 8, &number, sizeof number);
    return made;
}

} // namespace

class journal_load::operation final : public annals::append_operation {
public:
    explicit operation(journal_load& load) : load_(load) {
        streams_.reserve(commits_per_operation);
        about_.reserve(commits_per_operation);
        commits_.reserve(commits_per_operation);
        event_ = {annals::event_name<payment_received>(), load.payload_};
    }

    [[nodiscard]] bool full() const noexcept { return commits_.size() == commits_per_operation; }

    void clear() {
        streams_.clear();
        about_.clear();
        commits_.clear();
    }

    void add(std::size_t account, annals::stream_version expected, std::uint64_t command,
             annals::timestamp now) {
        annals::metadata& about = about_.emplace_back();
        about.command_id = command_id_of(command);
        about.time = now;
        commits_.push_back({.stream = streams_.emplace_back(account).view(),
                            .expected = annals::expected_version::exactly(expected),
                            .about = &about,
                            .events = {&event_, 1}});
    }

    [[nodiscard]] std::span<const annals::commit> commits() const noexcept override {
        return commits_;
    }

    void completed(std::span<const annals::append_result> results) noexcept override {
        for (const auto& one : results)
            if (!one) {
                const std::lock_guard lock(load_.mutex_);
                load_.failure_ = one.error().message;
            }
    }

private:
    journal_load& load_;
    annals::new_event event_;
    std::vector<stream_name> streams_;
    std::vector<annals::metadata> about_;
    std::vector<annals::commit> commits_;
};

journal_load::journal_load(annals::journal& to, std::size_t accounts,
                           std::size_t operations_in_flight)
    : to_(to),
      payload_(encoded_payment()),
      versions_(accounts),
      operations_(operations_in_flight) {
    for (std::size_t i = 0; i != operations_; ++i)
        free_.push_back(std::make_unique<operation>(*this));
}

journal_load::~journal_load() {
    wait_for_all();
}

void journal_load::run(std::size_t events,
                       const std::function<std::size_t(std::size_t)>& account_of) {
    for (std::size_t i = 0; i != events;) {
        auto next = take();
        const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(
            std::chrono::system_clock::now());
        for (; i != events && !next->full(); ++i) {
            const std::size_t account = account_of(i);
            next->add(account, versions_[account]++, ++next_command_, now);
        }
        to_.append(std::move(next));
    }
    wait_for_all();
    if (!failure_.empty())
        throw std::runtime_error("journal_load: " + failure_);
}

/// An operation is free again when the journal lets go of it, not when it completes: until then the
/// journal may look at its commits.
std::shared_ptr<journal_load::operation> journal_load::take() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !free_.empty(); });
    auto taken = std::move(free_.back());
    free_.pop_back();
    taken->clear();
    return {taken.release(),
            [this](operation* done) { give_back(std::unique_ptr<operation>(done)); }};
}

void journal_load::give_back(std::unique_ptr<operation> done) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(done));
    returned_.notify_one();
}

void journal_load::wait_for_all() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return free_.size() == operations_; });
}

void make_store(const std::filesystem::path& directory, std::size_t accounts, std::size_t events) {
    const auto journal = annals::open_lmdb_journal(directory).value();
    journal_load(*journal, accounts, 8).run(events, [accounts](std::size_t i) {
        return i % accounts;
    });
    journal->close();
}

} // namespace bench
