#include "annals/stored_table.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace annals {

namespace {

struct by_bytes {
    using is_transparent = void;
    bool operator()(bytes_view a, bytes_view b) const noexcept {
        return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
    }
};

} // namespace

/// Rows in memory, for a map that no view is hosted around: in a test of the domain, for instance.
class stored_table::private_rows final : public table_rows {
public:
    std::optional<bytes_view> get(bytes_view key) override {
        const auto found = rows_.find(key);
        return found == rows_.end() ? std::nullopt : std::optional(bytes_view(found->second));
    }
    void put(bytes_view key, bytes_view value) override {
        const auto at = rows_.lower_bound(key);
        bytes copy(value.begin(), value.end());
        if (at != rows_.end() && std::ranges::equal(at->first, key))
            at->second = std::move(copy);
        else
            rows_.emplace_hint(at, bytes(key.begin(), key.end()), std::move(copy));
    }
    bool erase(bytes_view key) override {
        const auto found = rows_.find(key);
        if (found == rows_.end())
            return false;
        rows_.erase(found);
        return true;
    }
    std::optional<row> at_or_after(bytes_view from) override {
        return row_at(rows_.lower_bound(from));
    }
    std::optional<row> after(bytes_view key) override { return row_at(rows_.upper_bound(key)); }
    std::optional<row> before(bytes_view end) override {
        const auto at = rows_.lower_bound(end);
        return at == rows_.begin() ? std::nullopt : row_at(std::prev(at));
    }

private:
    using map = std::map<bytes, bytes, by_bytes>;
    std::optional<row> row_at(map::const_iterator at) const {
        return at == rows_.end() ? std::nullopt : std::optional(row{at->first, at->second});
    }
    map rows_;
};

stored_table::stored_table() noexcept = default;
stored_table::~stored_table() = default;

stored_table::stored_table(const stored_table& other)
    : bound_(other.bound_),
      own_(other.own_ ? std::make_unique<private_rows>(*other.own_) : nullptr),
      name_(other.name_),
      number_(other.number_) {}

/// What is moved from stays bound, if it was.
stored_table::stored_table(stored_table&& other) noexcept
    : bound_(other.bound_),
      own_(std::move(other.own_)),
      name_(other.name_),
      number_(other.number_) {}

stored_table& stored_table::operator=(const stored_table& other) {
    if (bound_ == nullptr)
        return *this = stored_table(other);
    replace_by(other);
    return *this;
}

stored_table& stored_table::operator=(stored_table&& other) {
    if (bound_ != nullptr) {
        replace_by(other);
        return *this;
    }
    bound_ = other.bound_;
    own_ = std::move(other.own_);
    name_ = other.name_;
    number_ = other.number_;
    return *this;
}

void stored_table::bind(table_rows& rows, std::byte number, std::string_view name) noexcept {
    bound_ = &rows;
    own_.reset();
    number_ = number;
    name_ = name;
}

table_rows* stored_table::rows() const noexcept {
    return bound_ != nullptr ? bound_ : own_.get();
}

table_rows& stored_table::writable() {
    if (bound_ != nullptr)
        return *bound_;
    if (!own_)
        own_ = std::make_unique<private_rows>();
    return *own_;
}

bool stored_table::same_rows(const stored_table& other) const noexcept {
    return rows() == other.rows() && number_ == other.number_;
}

void stored_table::clear() {
    row_key first;
    first.push(number_);
    row_key end = first;
    end.to_end_of_prefix();
    table_walk walk(rows(), first, end, false);
    row_key key;
    while (const auto next = walk.next()) {
        key.clear();
        key.append(next->key);
        writable().erase(key.view());
    }
}

void stored_table::replace_by(const stored_table& other) {
    if (same_rows(other))
        return;
    clear();
    row_key first;
    first.push(other.number_);
    row_key end = first;
    end.to_end_of_prefix();
    table_walk walk(other.rows(), first, end, false);
    row_key key;
    while (const auto next = walk.next()) {
        key.clear();
        key.push(number_);
        key.append(next->key.subspan(1));
        // Writing may end what `next` points to.
        const bytes value(next->value.begin(), next->value.end());
        writable().put(key.view(), value);
    }
}

std::optional<row> table_walk::next() {
    if (rows_ == nullptr)
        return std::nullopt;
    const auto found = backwards_ ? rows_->before(at_.view())
                       : begun_   ? rows_->after(at_.view())
                                  : rows_->at_or_after(at_.view());
    begun_ = true;
    if (!found || (backwards_ ? by_bytes{}(found->key, low_.view())
                              : !by_bytes{}(found->key, high_.view()))) {
        rows_ = nullptr; // at the end, for good
        return std::nullopt;
    }
    at_.clear();
    at_.append(found->key);
    return found;
}

namespace detail {

void throw_unreadable_key(std::string_view table) {
    throw bad_result(
        {errc::undecodable,
         "a key in stored map \"" + std::string(table) +
             "\" is not of its type; if the type has changed, raise the view's version "
             "(static constexpr std::uint32_t version = 2) so that it is built again"});
}

void throw_unreadable_row(std::string_view table, const error& why) {
    throw bad_result({errc::undecodable,
                      "a row of stored map \"" + std::string(table) + "\": " + why.message +
                          "; if its type has changed, raise the view's version (static constexpr "
                          "std::uint32_t version = 2) so that it is built again"});
}

void throw_row_too_large(std::string_view table, std::string_view what) {
    throw bad_result({errc::too_large, "a row of stored map \"" + std::string(table) +
                                           "\" could not be read again: " + std::string(what) +
                                           "; spread it over several rows"});
}

} // namespace detail

} // namespace annals
