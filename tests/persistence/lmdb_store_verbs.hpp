#pragma once

// What a test does with a store on disk, besides the verbs of support/journal_verbs.hpp.

#include "annals/lmdb_journal.hpp"
#include "support/journal_verbs.hpp"
#include "support/seed.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

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

/// Name and content of every file below `directory`, to see whether anything changed.
inline std::map<std::string, std::string> contents_of(const std::filesystem::path& directory) {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        std::ifstream file(entry.path(), std::ios::binary);
        all[entry.path().lexically_relative(directory).string()] =
            entry.is_directory() ? "directory"
                                 : std::string(std::istreambuf_iterator<char>(file), {});
    }
    return all;
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

/// Runs `body` in a forked child and returns its exit code, or 128 and the number of the signal
/// that ended it. The child ends without running any destructor, as after a crash.
inline int in_child(const std::function<int()>& body) {
    const auto child = ::fork();
    if (child == 0) {
        int code = 99;
        try {
            code = body();
        } catch (...) {
            code = 98;
        }
        ::_exit(code);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace annals::test
