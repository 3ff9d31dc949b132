#include "annals/journal.hpp"

#include "codec/utf8.hpp"
#include "journal/commit_check.hpp"

#include <algorithm>
#include <future>

namespace annals {

std::string expected_version::to_string() const {
    switch (kind_) {
    case kind::any:
        return "any version";
    case kind::exists:
        return "an existing stream";
    case kind::exactly:
        break;
    }
    return "version " + std::to_string(version_);
}

result<void> check_stream_name(std::string_view stream) {
    const auto invalid = [](const char* why) { return error{errc::invalid_argument, why}; };
    if (stream.empty())
        return invalid("a stream's name must not be empty");
    if (stream.size() > 255)
        return invalid("a stream's name must not be longer than 255 bytes");
    while (!stream.empty()) {
        const auto character = take_utf8(stream);
        if (!character)
            return invalid("a stream's name must be UTF-8");
        if (*character < 0x20 || (*character >= 0x7f && *character < 0xa0))
            return invalid("a stream's name must not contain control characters");
    }
    return {};
}

namespace {
/// More could not be encoded, let alone be within a journal's limit on metadata.
constexpr std::size_t most_extra = 65'536;
} // namespace

result<void> check_commit(const commit& candidate, const journal_capabilities& limits) {
    if (auto named = check_stream_name(candidate.stream); !named)
        return named;
    if (!candidate.about || candidate.about->command_id.is_nil())
        return error{errc::invalid_argument, "a commit needs metadata with a command id"};
    if (candidate.about->extra.size() > most_extra)
        return error{errc::too_large, "metadata of " +
                                          std::to_string(candidate.about->extra.size()) +
                                          " extra entries; put them into an event"};
    if (candidate.events.empty())
        return error{errc::invalid_argument, "a commit needs at least one event"};
    std::size_t total = 0;
    for (const auto& event : candidate.events) {
        if (event.type.empty() || event.type.size() > 255)
            return error{errc::invalid_argument, "an event's type must have 1 to 255 bytes"};
        if (event.payload.size() > limits.max_event_bytes)
            return error{errc::too_large, "an event of " + std::to_string(event.payload.size()) +
                                              " bytes; the journal takes " +
                                              std::to_string(limits.max_event_bytes) +
                                              "; split it, or raise the store's max_event_bytes"};
        total += event.payload.size();
    }
    if (total > limits.max_commit_bytes)
        return error{errc::too_large, "a commit of " + std::to_string(total) +
                                          " bytes; the journal takes " +
                                          std::to_string(limits.max_commit_bytes) +
                                          "; split it, or raise the store's max_batch_bytes"};
    return {};
}

error version_conflict(const commit& candidate, stream_version actual) {
    return {errc::version_conflict,
            "expected " + candidate.expected.to_string() + " of " + std::string(candidate.stream) +
                ", found version " + std::to_string(actual) +
                "; read the stream again and decide anew",
            actual};
}

error other_commit(const commit& candidate, stream_version actual) {
    auto conflict = version_conflict(candidate, actual);
    conflict.message = "command " + candidate.about->command_id.to_string() + " is stored in " +
                       std::string(candidate.stream) +
                       " where this commit belongs, but with other events; " + conflict.message;
    return conflict;
}

bool commit_comparison::takes(const stored_event& next) noexcept {
    holds_ = false;
    if (taken_ == candidate_.events.size())
        return false;
    const new_event& mine = candidate_.events[taken_++];
    if (next.type != mine.type || next.time != candidate_.about->time ||
        next.fingerprint().differs_from(candidate_.fingerprint) ||
        !std::ranges::equal(next.payload, mine.payload))
        return false;
    holds_ = next.ends_commit && taken_ == candidate_.events.size();
    return true;
}

error predecessor_failed() {
    return {errc::predecessor_failed,
            "a commit that this one was decided on top of was not stored; read the stream again "
            "and decide anew"};
}

namespace {

/// Commits with the memory that they point into.
class owned_operation final : public append_operation {
public:
    owned_operation(std::vector<owned_commit> commits,
                    std::function<void(std::span<const append_result>)> done)
        : owned_(std::move(commits)),
          done_(std::move(done)) {
        std::size_t count = 0;
        for (const auto& each : owned_)
            count += each.events.size();
        events_.reserve(count); // the spans below must stay valid
        commits_.reserve(owned_.size());
        for (const auto& each : owned_) {
            const std::size_t first = events_.size();
            for (const auto& event : each.events)
                events_.push_back({event.type, event.payload});
            commits_.push_back({.stream = each.stream,
                                .expected = each.expected,
                                .about = &each.about,
                                .command_named = each.command_named,
                                .fingerprint = each.fingerprint,
                                .events = std::span(events_).subspan(first),
                                .pipeline = each.pipeline.get(),
                                .place = each.place});
        }
    }

    [[nodiscard]] std::span<const commit> commits() const noexcept override { return commits_; }

    void completed(std::span<const append_result> results) noexcept override { done_(results); }

private:
    std::vector<owned_commit> owned_;
    std::vector<new_event> events_;
    std::vector<commit> commits_;
    std::function<void(std::span<const append_result>)> done_;
};

} // namespace

void append(journal& to, std::vector<owned_commit> commits,
            std::function<void(std::span<const append_result>)> done) {
    to.append(std::make_shared<owned_operation>(std::move(commits), std::move(done)));
}

std::vector<append_result> append_and_wait(journal& to, std::vector<owned_commit> commits) {
    // Shared, because the waiting thread may be gone before `set_value` has returned.
    const auto answer = std::make_shared<std::promise<std::vector<append_result>>>();
    append(to, std::move(commits), [answer](std::span<const append_result> results) {
        answer->set_value({results.begin(), results.end()});
    });
    return answer->get_future().get();
}

} // namespace annals
