#pragma once

#include "annals/event.hpp"
#include "annals/stored_range.hpp"
#include "annals/stored_table.hpp"

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// Stored views: views whose rows are on disk and may be more than memory holds.
///
///     struct sales {
///         static constexpr std::string_view name = "sales";
///         using event = std::variant<item_sold, item_returned>;
///         using query = std::variant<sales_of, best_days>;
///         annals::stored_map<std::string, product_sales> by_product;
///         annals::stored_map<std::chrono::sys_days, std::int64_t> by_day;
///         ANNALS_FIELDS(sales, by_product, by_day)
///     };
///     void evolve(sales& s, const item_sold& happened) {
///         s.by_product.change(happened.sku,
///                             [&](product_sales& row) { row.units += happened.units; });
///     }
///     std::optional<product_sales> answer(const sales& s, const sales_of& query) {
///         return s.by_product.find(query.sku);
///     }
///
/// A view is stored if its ANNALS_FIELDS are stored maps, and then all its members are. annals keeps
/// their rows in the projection store and changes them in one transaction with the view's checkpoint:
/// an event takes effect exactly once, or not yet, whatever happens to the process. `evolve` and
/// `answer` run on threads that may wait for the disk; an answer is from one snapshot, at one position.
///
/// The names and the order of the maps in ANNALS_FIELDS, and the types in them, say how rows are stored.
/// Other names, another order and other types are noticed at the next opening, and the view is built
/// again. What is not: what a codec of the host's own makes of a type, and what a value means. Whoever
/// changes that raises the view's version.
namespace annals {

/// An ordered map from Key to Value, one row each. Keys: see `table_key`. Values have a codec
/// (annals/codec.hpp), and fields may be added to them.
///
/// In a hosted view its rows are the projection store's. Anywhere else - in a test of the domain - they
/// are its own, in memory, and it is a value like a std::map. Do not keep copies of a hosted view's
/// maps: they are other names for the same rows, for as long as the call lasts that they come from.
///
/// One thread at a time. Everything throws `bad_result` for what the disk does (`corrupt`, `io_error`,
/// `unavailable`), for a row that is not of type Value (`undecodable`), for a key or value over its
/// limit (`too_large`: a key has at most 479 bytes, encoded; all that one event changes in a hosted
/// view, at most 7 MiB; a test's own rows are not held to the latter), and for writing in `answer`
/// (`invalid_argument`). Let it pass: annals undoes what the event had changed.
template <class Key, class Value>
class stored_map {
public:
    using key_type = Key;
    using mapped_type = Value;
    using value_type = std::pair<Key, Value>;
    using range = stored_range<Key, Value>;
    /// How keys are given: text as std::string_view.
    using key_argument =
        std::conditional_t<std::same_as<Key, std::string>, std::string_view, const Key&>;

    // -- one row ---------------------------------------------------------------------------------

    [[nodiscard]] std::optional<Value> find(key_argument key) const {
        if (table_rows* const rows = table_.rows())
            if (const auto found = rows->get(key_of(key).view()))
                return detail::stored_value<Value>(*found, table_.name());
        return std::nullopt;
    }
    [[nodiscard]] Value value_or(key_argument key, Value otherwise) const {
        auto found = find(key);
        return found ? *std::move(found) : std::move(otherwise);
    }
    [[nodiscard]] bool contains(key_argument key) const {
        table_rows* const rows = table_.rows();
        return rows != nullptr && rows->get(key_of(key).view()).has_value();
    }
    void put(key_argument key, const Value& value) { put_at(key_of(key), value); }

    /// Calls `how(Value&)` with the row and stores what it made of it. A row that is missing begins as
    /// `Value{}`. If `how` throws, the row stays as it is.
    template <std::invocable<Value&> How>
    void change(key_argument key, How&& how) {
        const row_key at = key_of(key);
        Value value{};
        if (table_rows* const rows = table_.rows())
            if (const auto found = rows->get(at.view()))
                value = detail::stored_value<Value>(*found, table_.name());
        std::invoke(std::forward<How>(how), value);
        put_at(at, value);
    }

    /// False if there was no such row.
    bool erase(key_argument key) {
        table_rows* const rows = table_.rows();
        return rows != nullptr && rows->erase(key_of(key).view());
    }
    /// Erases row by row, which takes as long as there are many.
    void clear() { table_.clear(); }

    // -- ranges ----------------------------------------------------------------------------------
    //
    // In the order of the keys, or against it: `for (const auto& [day, units] : by_day.all())`,
    // `by_day.from(monday).backwards()`. A loop reads one row after the other, and goes on among the
    // rows that there are if the loop's body changes the map. A range must not outlive its map.

    [[nodiscard]] range all() const { return {table_, begin(), end()}; }
    /// Keys that are not less than `first`.
    [[nodiscard]] range from(key_argument first) const { return {table_, key_of(first), end()}; }
    /// Keys that are less than `last`.
    [[nodiscard]] range until(key_argument last) const { return {table_, begin(), key_of(last)}; }
    /// Keys that are not less than `first` and less than `last`.
    [[nodiscard]] range between(key_argument first, key_argument last) const {
        return {table_, key_of(first), key_of(last)};
    }
    /// Texts that begin with `prefix`.
    [[nodiscard]] range
    starting_with(std::string_view prefix) const requires std::same_as<Key, std::string> {
        row_key first = begin();
        detail::encode_text_prefix(first, prefix);
        return of_prefix(first);
    }
    /// Pairs and tuples whose first part is `part`.
    template <class First = Key>
    [[nodiscard]] range starting_with(const typename detail::first_part<First>::type& part) const {
        row_key first = begin();
        table_key<typename detail::first_part<First>::type>::encode(first, part);
        return of_prefix(first);
    }

    // -- for annals ------------------------------------------------------------------------------

    [[nodiscard]] stored_table& table() noexcept { return table_; }
    /// Maps are not exchanged: two that are bound would exchange their names, not their rows.
    friend void swap(stored_map&, stored_map&) = delete;

private:
    [[nodiscard]] row_key key_of(key_argument key) const { return table_.key_of<Key>(key); }
    [[nodiscard]] row_key begin() const {
        row_key made;
        made.push(table_.number());
        return made;
    }
    [[nodiscard]] row_key end() const {
        row_key made = begin();
        made.to_end_of_prefix();
        return made;
    }
    [[nodiscard]] range of_prefix(const row_key& prefix) const {
        row_key end = prefix;
        end.to_end_of_prefix();
        return {table_, prefix, end};
    }
    void put_at(const row_key& at, const Value& value) {
        encoded_.clear();
        try {
            encoder to(encoded_);
            encode(to, value);
        } catch (const unreadable_value& e) {
            detail::throw_row_too_large(table_.name(), e.what());
        }
        if (encoded_.size() > parse_limits{}.max_bytes)
            detail::throw_row_too_large(table_.name(), "its value is larger than 16 MiB");
        table_.writable().put(at.view(), encoded_);
    }

    stored_table table_;
    bytes encoded_; ///< kept for its memory
};

} // namespace annals

#include "annals/stored_view.hpp"
