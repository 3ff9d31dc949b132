#pragma once

#include "annals/projection_store.hpp"

#include <map>
#include <memory>
#include <vector>

namespace annals {

/// The rows of many spaces, as a value. Copies share what they have in common: a change makes new
/// nodes along one path only, so a copy is a snapshot and costs next to nothing.
///
/// A space is a treap (R. Seidel, C. Aragon, *Randomized search trees*, 1996) whose priorities are
/// the keys' hashes. Different copies may be used by different threads.
class memory_rows {
public:
    struct entry {
        bytes key;
        bytes value;
    };

    void put(row_space space, bytes_view key, bytes_view value);
    void erase(row_space space, bytes_view key);
    void drop(row_space space);

    // Each returns null if there is no such row. What it points to lives as long as this copy is
    // not changed.
    [[nodiscard]] const entry* find(row_space space, bytes_view key) const noexcept;
    [[nodiscard]] const entry* at_or_after(row_space space, bytes_view key) const noexcept;
    [[nodiscard]] const entry* after(row_space space, bytes_view key) const noexcept;
    [[nodiscard]] const entry* before(row_space space, bytes_view key) const noexcept;
    [[nodiscard]] const entry* last(row_space space) const noexcept;

    /// Spaces with rows, in order.
    [[nodiscard]] std::vector<row_space> spaces() const;

private:
    struct node;
    using link = std::shared_ptr<const node>;
    using shared_entry = std::shared_ptr<const entry>;

    struct node {
        shared_entry row;
        std::size_t priority;
        link left;
        link right;
    };

    [[nodiscard]] static link with(const link& at, const link& added);
    [[nodiscard]] static link without(const link& at, bytes_view key);
    [[nodiscard]] static link joined(const link& left, const link& right);
    [[nodiscard]] const node* root(row_space space) const noexcept;

    std::map<row_space, link> roots_;
};

} // namespace annals
