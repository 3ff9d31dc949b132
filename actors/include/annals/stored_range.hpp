#pragma once

#include "annals/stored_table.hpp"

#include <cstddef>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

namespace annals {

namespace detail {

template <class Value>
[[nodiscard]] Value stored_value(bytes_view from, std::string_view table) {
    auto value = from_bytes<Value>(from);
    if (!value)
        throw_unreadable_row(table, value.error());
    return *std::move(value);
}

/// `key` with its table's number before it.
template <class Key>
[[nodiscard]] Key stored_key(bytes_view from, std::string_view table) {
    from = from.subspan(1);
    Key key{};
    if (!table_key<Key>::decode(from, key) || !from.empty())
        throw_unreadable_key(table);
    return key;
}

/// The first part of a composite key; of other keys nothing.
template <class Key>
struct first_part {};
template <class First, class Second>
struct first_part<std::pair<First, Second>> {
    using type = First;
};
template <class First, class... Rest>
struct first_part<std::tuple<First, Rest...>> {
    using type = First;
};

} // namespace detail

/// Rows of a stored map in order, for a range-based for: pairs of Key and Value. Each loop reads anew.
/// Looks into its map, which must live as long. Steps throw what reading a row throws.
template <class Key, class Value>
class stored_range {
public:
    stored_range(const stored_table& table, const row_key& low, const row_key& high)
        : table_(&table),
          low_(low),
          high_(high) {}

    /// The same rows, last one first.
    [[nodiscard]] stored_range backwards() const {
        stored_range turned(*this);
        turned.backwards_ = !backwards_;
        return turned;
    }

    class iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = std::pair<Key, Value>;
        using difference_type = std::ptrdiff_t;

        const value_type& operator*() const noexcept { return *at_; }
        const value_type* operator->() const noexcept { return &*at_; }
        iterator& operator++() {
            read();
            return *this;
        }
        void operator++(int) { read(); }
        friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept {
            return !it.at_;
        }

    private:
        friend class stored_range;
        explicit iterator(const stored_range& of)
            : table_(of.table_),
              walk_(of.table_->rows(), of.low_, of.high_, of.backwards_) {
            read();
        }
        void read() {
            at_.reset();
            if (const auto next = walk_.next()) {
                auto key = detail::stored_key<Key>(next->key, table_->name());
                at_.emplace(std::move(key),
                            detail::stored_value<Value>(next->value, table_->name()));
            }
        }

        const stored_table* table_;
        table_walk walk_;
        std::optional<value_type> at_;
    };

    [[nodiscard]] iterator begin() const { return iterator(*this); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

private:
    const stored_table* table_;
    row_key low_;
    row_key high_;
    bool backwards_ = false;
};

} // namespace annals
