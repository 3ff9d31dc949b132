#include "projection_store/row_check.hpp"

#include <algorithm>
#include <cstring>
#include <future>

namespace annals {

void row_changes::put(row_space space, bytes_view key, bytes_view value) {
    // What is too long is refused when it is applied; one byte too many is enough to see it.
    key = key.first(std::min(key.size(), max_row_key_bytes + 1));
    value = value.first(std::min(value.size(), max_row_value_bytes + 1));
    changes_.push_back({space, static_cast<std::uint32_t>(key.size()),
                        static_cast<std::uint32_t>(value.size()), buffer_.size()});
    buffer_.insert(buffer_.end(), key.begin(), key.end());
    buffer_.insert(buffer_.end(), value.begin(), value.end());
}

void row_changes::erase(row_space space, bytes_view key) {
    put(space, key, {});
    changes_.back().value_bytes = change::erased;
}

void row_changes::drop(row_space space) {
    dropped_.push_back(space);
}

std::span<const row_changes::change> row_changes::sorted() {
    const auto less = [this](const change& a, const change& b) {
        return a.space != b.space ? a.space < b.space : compare_keys(key(a), key(b)) < 0;
    };
    const auto in_order = std::ranges::adjacent_find(changes_, [&](const auto& a, const auto& b) {
                              return !less(a, b);
                          }) == changes_.end();
    if (in_order)
        return changes_;
    std::ranges::stable_sort(changes_, less);
    // Of the changes of one key the last one counts.
    const auto same = [&](const change& a, const change& b) { return !less(a, b) && !less(b, a); };
    const auto replaced = std::unique(changes_.rbegin(), changes_.rend(), same);
    changes_.erase(changes_.begin(), replaced.base());
    return changes_;
}

bytes_view row_changes::key(const change& of) const noexcept {
    return bytes_view(buffer_).subspan(of.offset, of.key_bytes);
}

bytes_view row_changes::value(const change& of) const noexcept {
    if (of.value_bytes == change::erased)
        return {};
    return bytes_view(buffer_).subspan(of.offset + of.key_bytes, of.value_bytes);
}

void row_changes::clear() noexcept {
    buffer_.clear();
    changes_.clear();
    dropped_.clear();
}

int compare_keys(bytes_view a, bytes_view b) noexcept {
    const auto common = std::min(a.size(), b.size());
    const auto order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
    if (order != 0)
        return order;
    return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

namespace {

error invalid(std::string why) {
    return {errc::invalid_argument, std::move(why)};
}

error too_large(std::string_view what, std::size_t bytes, std::size_t most,
                std::string_view advice) {
    return {errc::too_large, std::string(what) + " of " + std::to_string(bytes) +
                                 " bytes; the projection store takes " + std::to_string(most) +
                                 "; " + std::string(advice)};
}

result<void> check_row(const row_changes& changes, const row_changes::change& one) {
    if (one.key_bytes == 0 || one.key_bytes > max_row_key_bytes)
        return invalid("a row's key must have 1 to " + std::to_string(max_row_key_bytes) +
                       " bytes; choose another key");
    const auto bytes = changes.value(one).size();
    if (bytes > max_row_value_bytes)
        return error{errc::too_large, "a row of more than " + std::to_string(max_row_value_bytes) +
                                          " bytes; split it"};
    return {};
}

} // namespace

result<void> check_changes(row_changes& changes, std::size_t max_bytes,
                           const std::unordered_set<row_space>& spent) {
    if (changes.size_bytes() > max_bytes)
        return too_large("a change", changes.size_bytes(), max_bytes,
                         "split it, or raise the store's max_batch_bytes");
    const auto dropped = changes.dropped();
    if (std::ranges::find(dropped, catalog_space) != dropped.end())
        return invalid("the catalog's space cannot be dropped");
    row_space checked = catalog_space;
    for (const auto& one : changes.sorted()) {
        if (auto row = check_row(changes, one); !row)
            return row;
        if (one.space != checked && spent.contains(one.space))
            return invalid("space " + std::to_string(one.space) +
                           " was dropped; take a new one for new rows");
        checked = one.space;
    }
    return {};
}

result<void> apply_and_wait(projection_store& to, row_changes changes) {
    // Shared, because the waiting thread may be gone before `set_value` has returned.
    const auto answer = std::make_shared<std::promise<result<void>>>();
    to.apply(std::move(changes),
             [answer](const result<void>& applied) { answer->set_value(applied); });
    return answer->get_future().get();
}

} // namespace annals
