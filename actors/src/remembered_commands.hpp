#pragma once

#include "annals/metadata.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>

namespace annals {

/// A stored command: its id, and the version of its last event.
struct recalled_command {
    uuid id;
    stream_version version = 0;
};

/// Ids of commands that an aggregate has stored, newest first up to a limit, with the version of
/// each one's last event. Empty, it costs next to nothing.
class remembered_commands {
public:
    explicit remembered_commands(std::size_t limit) : limit_(limit) {}

    void add(const uuid& id, stream_version version) {
        if (limit_ == 0)
            return;
        if (!known_)
            known_ = std::make_unique<tables>();
        if (!known_->versions.insert_or_assign(id, version).second)
            return;
        known_->order.push_back(id);
        if (known_->order.size() > limit_) {
            known_->versions.erase(known_->order.front());
            known_->order.pop_front();
        }
    }

    [[nodiscard]] std::optional<stream_version> find(const uuid& id) const {
        if (!known_)
            return std::nullopt;
        const auto found = known_->versions.find(id);
        if (found == known_->versions.end())
            return std::nullopt;
        return found->second;
    }

    void clear() { known_.reset(); }

private:
    struct tables {
        std::unordered_map<uuid, stream_version> versions;
        std::deque<uuid> order;
    };
    std::size_t limit_;
    std::unique_ptr<tables> known_;
};

} // namespace annals
