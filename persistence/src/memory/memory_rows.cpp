#include "memory/memory_rows.hpp"

#include "projection_store/row_check.hpp"

#include <functional>
#include <string_view>

namespace annals {
namespace {

std::size_t hash_of(bytes_view key) noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(key.data()), key.size()});
}

} // namespace

void memory_rows::put(row_space space, bytes_view key, bytes_view value) {
    auto row = std::make_shared<const entry>(
        entry{{key.begin(), key.end()}, {value.begin(), value.end()}});
    const auto added = std::make_shared<const node>(node{std::move(row), hash_of(key), {}, {}});
    auto& root = roots_[space];
    root = with(root, added);
}

void memory_rows::erase(row_space space, bytes_view key) {
    if (find(space, key) == nullptr)
        return;
    const auto found = roots_.find(space);
    found->second = without(found->second, key);
    if (!found->second)
        roots_.erase(found);
}

void memory_rows::drop(row_space space) {
    roots_.erase(space);
}

memory_rows::link memory_rows::with(const link& at, const link& added) {
    if (!at)
        return added;
    const auto make = [](const node& from, link left, link right) {
        return std::make_shared<const node>(
            node{from.row, from.priority, std::move(left), std::move(right)});
    };
    const auto order = compare_keys(added->row->key, at->row->key);
    if (order == 0)
        return make(*added, at->left, at->right);
    // The node with the greatest priority is on top.
    if (order < 0) {
        const auto left = with(at->left, added);
        return left->priority > at->priority
                   ? make(*left, left->left, make(*at, left->right, at->right))
                   : make(*at, left, at->right);
    }
    const auto right = with(at->right, added);
    return right->priority > at->priority
               ? make(*right, make(*at, at->left, right->left), right->right)
               : make(*at, at->left, right);
}

memory_rows::link memory_rows::without(const link& at, bytes_view key) {
    const auto order = compare_keys(key, at->row->key);
    if (order == 0)
        return joined(at->left, at->right);
    auto changed = *at;
    if (order < 0)
        changed.left = without(at->left, key);
    else
        changed.right = without(at->right, key);
    return std::make_shared<const node>(std::move(changed));
}

memory_rows::link memory_rows::joined(const link& left, const link& right) {
    if (!left || !right)
        return left ? left : right;
    auto top = left->priority > right->priority ? *left : *right;
    if (left->priority > right->priority)
        top.right = joined(left->right, right);
    else
        top.left = joined(left, right->left);
    return std::make_shared<const node>(std::move(top));
}

const memory_rows::node* memory_rows::root(row_space space) const noexcept {
    const auto found = roots_.find(space);
    return found == roots_.end() ? nullptr : found->second.get();
}

const memory_rows::entry* memory_rows::find(row_space space, bytes_view key) const noexcept {
    const auto* found = at_or_after(space, key);
    return found != nullptr && compare_keys(found->key, key) == 0 ? found : nullptr;
}

const memory_rows::entry* memory_rows::at_or_after(row_space space, bytes_view key) const noexcept {
    const entry* best = nullptr;
    for (const auto* at = root(space); at != nullptr;) {
        const bool fits = compare_keys(at->row->key, key) >= 0;
        if (fits)
            best = at->row.get();
        at = fits ? at->left.get() : at->right.get();
    }
    return best;
}

const memory_rows::entry* memory_rows::after(row_space space, bytes_view key) const noexcept {
    const entry* best = nullptr;
    for (const auto* at = root(space); at != nullptr;) {
        const bool fits = compare_keys(at->row->key, key) > 0;
        if (fits)
            best = at->row.get();
        at = fits ? at->left.get() : at->right.get();
    }
    return best;
}

const memory_rows::entry* memory_rows::before(row_space space, bytes_view key) const noexcept {
    const entry* best = nullptr;
    for (const auto* at = root(space); at != nullptr;) {
        const bool fits = compare_keys(at->row->key, key) < 0;
        if (fits)
            best = at->row.get();
        at = fits ? at->right.get() : at->left.get();
    }
    return best;
}

const memory_rows::entry* memory_rows::last(row_space space) const noexcept {
    const auto* at = root(space);
    if (at == nullptr)
        return nullptr;
    while (at->right)
        at = at->right.get();
    return at->row.get();
}

std::vector<row_space> memory_rows::spaces() const {
    std::vector<row_space> all;
    for (const auto& [space, ignored] : roots_)
        all.push_back(space);
    return all;
}

} // namespace annals
