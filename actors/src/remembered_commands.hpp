#pragma once

#include "annals/journal.hpp"

#include <deque>
#include <memory>
#include <unordered_map>

namespace annals {

/// A stored command.
struct recalled_command {
    uuid id;
    stream_version version = 0; ///< of its last event
    command_fingerprint fingerprint{};
};

/// Ids of commands that an aggregate has stored, or is about to, newest first up to a limit. Empty, it
/// costs next to nothing.
class remembered_commands {
public:
    struct entry {
        stream_version version = 0; ///< of its last event
        pipeline::place place = 0; ///< of its commit in the line; 0 if it was read from the journal
        command_fingerprint fingerprint{};
    };

    explicit remembered_commands(std::size_t limit) : limit_(limit) {}

    void add(const uuid& id, const entry& stored) {
        if (limit_ == 0)
            return;
        if (!known_)
            known_ = std::make_unique<tables>();
        if (!known_->entries.insert_or_assign(id, stored).second)
            return;
        known_->order.push_back(id);
        if (known_->order.size() > limit_) {
            known_->entries.erase(known_->order.front());
            known_->order.pop_front();
        }
    }

    /// Null if it is not among them. Valid until the next change.
    [[nodiscard]] const entry* find(const uuid& id) const {
        if (!known_)
            return nullptr;
        const auto found = known_->entries.find(id);
        return found == known_->entries.end() ? nullptr : &found->second;
    }

    void clear() { known_.reset(); }

private:
    struct tables {
        std::unordered_map<uuid, entry> entries;
        std::deque<uuid> order;
    };
    std::size_t limit_;
    std::unique_ptr<tables> known_;
};

} // namespace annals
