#pragma once

// What a test does with a store on disk, besides the verbs of support/journal_verbs.hpp.

#include "annals/lmdb_journal.hpp"
#include "support/child_process.hpp"
#include "support/directory_state.hpp"
#include "support/journal_verbs.hpp"
#include "support/seed.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

namespace annals::test {

/// Little address space and few cached heads: fit for sanitizers, and heads are flushed and evicted
/// within a test.
inline lmdb_options small_store() {
    lmdb_options options;
    options.max_store_bytes = std::size_t{1} << 30;
    options.cached_streams = 16;
    return options;
}

inline std::shared_ptr<journal> open_store(const std::filesystem::path& directory,
                                           const lmdb_options& options = small_store()) {
    return open_lmdb_journal(directory, options).value();
}

/// The code of an opening that fails; 0 if it succeeds.
inline errc refusal_to_open(const std::filesystem::path& directory,
                            const lmdb_options& options = small_store()) {
    const auto opened = open_lmdb_journal(directory, options);
    return opened ? errc{} : opened.error().code;
}

/// Appends `count` commits of 1 to 4 events to random ones of `streams` streams.
inline void append_randomly(journal& to, std::mt19937_64& random, std::size_t count,
                            std::size_t streams) {
    static const std::vector<std::string> types(4, "cart.item_added");
    std::vector<owned_commit> commits;
    for (std::size_t i = 0; i != count; ++i)
        commits.push_back(commit_of(
            std::to_string(random()), "cart-" + std::to_string(random() % streams),
            expected_version::any(),
            {types.begin(), types.begin() + 1 + static_cast<std::ptrdiff_t>(random() % 4)}));
    for (const auto& result : append_and_wait(to, std::move(commits)))
        if (!result)
            throw bad_result(result.error());
}

} // namespace annals::test
