#pragma once

#include "timing.hpp"

#include <annals/journal.hpp>

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace bench {

/// Appends payments to accounts straight through the journal, as a pipelining user would: it fills
/// the next operations while the journal stores earlier ones. One thread; the operations' memory is
/// used again and again.
class journal_load {
public:
    static constexpr std::size_t commits_per_operation = 1'000;

    /// Accounts are numbered 0 to `accounts` - 1 and hold nothing yet.
    journal_load(annals::journal& to, std::size_t accounts, std::size_t operations_in_flight);
    ~journal_load();

    /// Appends `events` commits of one event each; event i goes to account `account_of(i)`. Throws
    /// if any of them was not stored. Returns when all are durable.
    void run(std::size_t events, const std::function<std::size_t(std::size_t)>& account_of);

private:
    class operation;

    std::shared_ptr<operation> take();
    void give_back(std::unique_ptr<operation> done);
    void wait_for_all();

    annals::journal& to_;
    const annals::bytes payload_;
    std::vector<std::uint32_t> versions_; ///< of the accounts, as appended
    const std::size_t operations_;
    std::uint64_t next_command_ = 0;

    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<operation>> free_;
    std::string failure_;
};

/// A closed store in `directory` that holds `events` payments, evenly spread over `accounts`: the
/// payments of one account lie as far apart as they can.
void make_store(const std::filesystem::path& directory, std::size_t accounts, std::size_t events);

} // namespace bench
