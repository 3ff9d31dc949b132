#include "annals/reaction.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace annals {

namespace {
thread_local std::shared_ptr<blocking_executor> thread_here;
} // namespace

std::shared_ptr<blocking_executor> reaction_thread_here() noexcept {
    return thread_here;
}

reaction_thread_scope::reaction_thread_scope(std::shared_ptr<blocking_executor> thread) noexcept
    : before_(std::exchange(thread_here, std::move(thread))) {}

reaction_thread_scope::~reaction_thread_scope() {
    thread_here = std::move(before_);
}

uuid delivery_commands::next_id(const uuid& event_id, std::string_view id) {
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(mutex_);
        const auto found = std::ranges::find(
            sent_, id, [](const auto& each) -> std::string_view { return each.first; });
        if (found == sent_.end())
            sent_.emplace_back(id, 1);
        else
            number = found->second++;
    }
    // Event, aggregate and number have one size each, so that no two descriptions run into each other.
    std::string description(40, '\0');
    const uuid aggregate = uuid::of_name(id);
    std::memcpy(description.data(), event_id.bytes.data(), 16);
    std::memcpy(description.data() + 16, aggregate.bytes.data(), 16);
    for (std::size_t i = 0; i != 8; ++i)
        description[32 + i] = static_cast<char>((number >> (8 * i)) & 0xff);
    return uuid::of_name(description.append(reaction_));
}

void delivery::submit(std::shared_ptr<command_request> request, send_options options) const {
    if (!commands) {
        request->fail({errc::closed, "this delivery comes from no runtime, so it can send nothing; "
                                     "in a test, give it delivery::commands"});
        return;
    }
    auto& about = options.about;
    if (about.command_id.is_nil())
        about.command_id = commands->next_id(event_id, request->aggregate_id);
    if (about.correlation_id.is_nil())
        about.correlation_id = more_metadata.empty() ? command_id : metadata().correlation_id;
    if (about.causation_id.is_nil())
        about.causation_id = event_id;
    commands->sender().send(std::move(request), std::move(options));
}

} // namespace annals
