#pragma once

#include "annals/table_key.hpp"
#include "annals/table_rows.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// What all stored maps have in common, whatever their types: where their rows are and how one walks
/// along them. Hosts use annals/stored_map.hpp.
namespace annals {

/// The rows of one stored map. Bound: a part of the rows of a hosted view, told apart by its number.
/// Unbound: rows of its own in memory, made with the first write.
///
/// A copy of an unbound one has rows of its own. A copy of a bound one is another name for the same
/// rows, and what is assigned to a bound one replaces its rows. Either way a view stays where it is
/// however its `evolve` passes it around. Not thread-safe, except that unbound ones may be read by
/// several threads.
class stored_table {
public:
    stored_table() noexcept;
    stored_table(const stored_table& other);
    stored_table(stored_table&& other) noexcept;
    stored_table& operator=(const stored_table& other);
    stored_table& operator=(stored_table&& other);
    ~stored_table();

    /// `rows` outlives this and its copies. `name` has static storage. What was in it is let go of.
    void bind(table_rows& rows, std::byte number, std::string_view name) noexcept;

    /// Null if there have never been any.
    [[nodiscard]] table_rows* rows() const noexcept;
    [[nodiscard]] table_rows& writable();
    /// Precedes each key of this table.
    [[nodiscard]] std::byte number() const noexcept { return number_; }
    [[nodiscard]] std::string_view name() const noexcept { return name_; }

    /// `key`'s bytes with the number before them.
    template <class Key, class Argument>
    [[nodiscard]] row_key key_of(const Argument& key) const {
        row_key made;
        made.push(number_);
        table_key<Key>::encode(made, key);
        return made;
    }

    void clear();

private:
    class private_rows;

    /// Puts copies of `other`'s rows in the place of the present ones.
    void replace_by(const stored_table& other);
    [[nodiscard]] bool same_rows(const stored_table& other) const noexcept;

    table_rows* bound_ = nullptr;
    std::unique_ptr<private_rows> own_; ///< null while bound
    std::string_view name_ = "(unbound)";
    std::byte number_{1};
};

/// Goes along the rows with `low <= key < high`, upwards or downwards. Each step looks for the row
/// behind the last one, so the rows may change meanwhile: it goes on from where it was, among the
/// rows that there are then.
class table_walk {
public:
    table_walk(table_rows* rows, const row_key& low, const row_key& high, bool backwards)
        : rows_(rows),
          low_(low),
          high_(high),
          at_(backwards ? high : low),
          backwards_(backwards) {}

    /// Nothing at the end. Valid until the next use of the rows.
    [[nodiscard]] std::optional<row> next();

private:
    table_rows* rows_; ///< may be null: no rows
    row_key low_;
    row_key high_;
    row_key at_; ///< of the row returned last
    bool backwards_;
    bool begun_ = false;
};

namespace detail {
[[noreturn]] void throw_unreadable_key(std::string_view table);
[[noreturn]] void throw_unreadable_row(std::string_view table, const error& why);
[[noreturn]] void throw_row_too_large(std::string_view table, std::string_view what);
} // namespace detail

} // namespace annals
