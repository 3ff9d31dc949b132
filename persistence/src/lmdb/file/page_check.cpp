#include "lmdb/file/page_check.hpp"

#include "lmdb/file/env.hpp"
#include "lmdb/file/varint.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace annals::lmdb {
namespace {

using page_number = std::uint64_t;
constexpr page_number no_page = ~page_number{0};

// --- the layout of LMDB 0.9 -----------------------------------------------------------------------

constexpr std::size_t header_bytes = 16; ///< number u64, pad u16, flags u16, lower u16, upper u16
constexpr std::size_t node_bytes = 8;    ///< low u16, high u16, flags u16, size of the key u16
constexpr std::size_t tree_bytes = 48;
constexpr std::size_t meta_bytes = 136;
constexpr std::size_t max_key_bytes = 511;
constexpr std::size_t max_depth = 32;
constexpr std::uint32_t meta_magic = 0xBEEFC0DE;
constexpr std::uint32_t data_version = 1;

constexpr std::uint16_t branch_page = 0x01;
constexpr std::uint16_t leaf_page = 0x02;
constexpr std::uint16_t overflow_page = 0x04;
constexpr std::uint16_t meta_page = 0x08;

constexpr std::uint16_t big_value = 0x01;
constexpr std::uint16_t table_value = 0x02;

constexpr std::uint16_t integer_keys = 0x08;
constexpr std::uint16_t no_directory = 0x4000; ///< of the environment, kept with the free pages

template <class T>
T at(bytes_view bytes, std::size_t offset) noexcept {
    return get_fixed<T>(bytes.data() + offset);
}

error of_another_program() {
    return {errc::not_a_store,
            "the file is an LMDB environment of another program; move it away, or "
            "choose another directory"};
}

error other_data_version(std::uint32_t version) {
    return {errc::incompatible_format,
            "the file was written by another version of LMDB (its data version is " +
                std::to_string(version) + ", annals reads " + std::to_string(data_version) +
                ", of LMDB 0.9); copy it with that version's mdb_dump and mdb_load of LMDB 0.9, or "
                "choose another directory"};
}

/// The data version that the first page names, if it is laid out as in LMDB 1.0 and later, where the
/// header of a page has a transaction's number as well; otherwise 0.
std::uint32_t later_data_version(bytes_view first_page) noexcept {
    constexpr std::size_t later_header_bytes = 24;
    const bool is_meta = at<std::uint16_t>(first_page, 18) == meta_page &&
                         at<std::uint32_t>(first_page, later_header_bytes) == meta_magic;
    return is_meta ? at<std::uint32_t>(first_page, later_header_bytes + 4) : 0;
}

struct tree {
    std::uint32_t pad;
    std::uint16_t flags;
    std::uint16_t depth;
    std::uint64_t branch_pages;
    std::uint64_t leaf_pages;
    std::uint64_t overflow_pages;
    std::uint64_t entries;
    page_number root;

    explicit tree(bytes_view stored) noexcept
        : pad(at<std::uint32_t>(stored, 0)),
          flags(at<std::uint16_t>(stored, 4)),
          depth(at<std::uint16_t>(stored, 6)),
          branch_pages(at<std::uint64_t>(stored, 8)),
          leaf_pages(at<std::uint64_t>(stored, 16)),
          overflow_pages(at<std::uint64_t>(stored, 24)),
          entries(at<std::uint64_t>(stored, 32)),
          root(at<std::uint64_t>(stored, 40)) {}

    [[nodiscard]] std::uint64_t pages() const noexcept {
        return branch_pages + leaf_pages + overflow_pages;
    }
};

struct meta {
    tree free;
    tree main;
    page_number last_page;
    std::uint64_t txn;

    explicit meta(bytes_view stored) noexcept
        : free(stored.subspan(24)),
          main(stored.subspan(72)),
          last_page(at<std::uint64_t>(stored, 120)),
          txn(at<std::uint64_t>(stored, 128)) {}
};

/// An entry of a page, within the page's bytes.
struct node {
    std::uint64_t low; ///< of a leaf: the value's size; of a branch: the page below
    std::uint16_t flags;
    bytes_view key;
    bytes_view value; ///< empty in a branch
};

// --- the check --------------------------------------------------------------------------------------

class checking {
public:
    checking(int file, const std::filesystem::path& path, std::span<const expected_table> tables,
             std::uint64_t most_pages)
        : file_(file),
          path_(path),
          tables_(tables),
          most_pages_(most_pages) {}

    /// Nothing if it is no LMDB file.
    [[nodiscard]] result<std::optional<meta>> read_metas();
    [[nodiscard]] result<checked_pages> check(const meta& newest);

private:
    enum class keys { any, integers };
    /// What the nodes of a leaf are besides keys and values.
    enum class content { free_pages, tables, values };
    struct walk {
        const tree& of;
        keys kind;
        content holds;
        bool leaves; ///< are looked at
        std::uint64_t branch_pages = 0;
        std::uint64_t leaf_pages = 0;
        std::uint64_t overflow_pages = 0;
        std::uint64_t entries = 0;
    };

    [[nodiscard]] error damaged(page_number page, std::string_view what) const;
    [[nodiscard]] error cut_off() const;
    [[nodiscard]] result<bytes_view> read(page_number page, std::vector<std::byte>& into) const;
    [[nodiscard]] result<void> use(page_number page);

    [[nodiscard]] result<void> check_tree(const tree& of, content holds);
    [[nodiscard]] result<void> check_below(walk& all, page_number page, std::size_t level);
    [[nodiscard]] result<std::size_t> check_form(page_number page, bytes_view bytes,
                                                 std::uint16_t flags) const;
    [[nodiscard]] result<node> read_node(page_number page, bytes_view bytes, std::size_t index,
                                         bool leaf) const;
    [[nodiscard]] result<void> check_keys(const walk& all, page_number page, bool leaf,
                                          std::size_t index, bytes_view before,
                                          bytes_view key) const;
    [[nodiscard]] result<void> check_leaf_node(walk& all, page_number page, const node& each);
    [[nodiscard]] result<bytes_view> check_overflow(walk& all, page_number page, const node& each);
    [[nodiscard]] result<void> check_table(const node& each);
    /// Those that can be made again, the newest first.
    void check_derived_tables();
    [[nodiscard]] result<void> check_free(page_number page, const node& each, bytes_view list);

    int file_;
    const std::filesystem::path& path_;
    std::span<const expected_table> tables_;
    std::uint64_t most_pages_;

    std::size_t page_bytes_ = 0;
    std::uint64_t file_pages_ = 0; ///< whole ones that are there
    page_number last_page_ = 0;
    std::uint64_t txn_ = 0;
    std::vector<bool> used_;
    bool complete_ = true;
    std::vector<std::vector<std::byte>> levels_{max_depth + 2}; ///< a page for each level
    std::vector<std::byte> overflow_;
    std::uint64_t pages_of_tables_ = 0;

    struct derived_table {
        std::string name;
        std::vector<std::byte> stored;
        std::uint16_t flags;
    };
    std::vector<derived_table> derived_;
    std::vector<damaged_table> damaged_tables_;
    std::optional<std::vector<page_number>> taken_; ///< by the derived table being checked
};

error checking::damaged(page_number page, std::string_view what) const {
    return {errc::corrupt, "page " + std::to_string(page) + " of \"" + path_.string() +
                               "\" is damaged: " + std::string(what)};
}

error checking::cut_off() const {
    return {errc::corrupt, "\"" + path_.string() + "\" is cut off at " +
                               std::to_string(file_pages_ * page_bytes_) + " of " +
                               std::to_string((last_page_ + 1) * page_bytes_) + " bytes"};
}

result<bytes_view> checking::read(page_number page, std::vector<std::byte>& into) const {
    into.resize(page_bytes_);
    const auto offset = static_cast<off_t>(page * page_bytes_);
    const auto count = ::pread(file_, into.data(), page_bytes_, offset);
    if (count < 0)
        return system_error(errno, "cannot read", path_);
    if (static_cast<std::size_t>(count) != page_bytes_)
        return cut_off();
    return bytes_view(into);
}

result<void> checking::use(page_number page) {
    if (page < 2 || page > last_page_)
        return damaged(page, "something leads there, but there is no such page");
    if (used_[page])
        return damaged(page, "it is used twice");
    used_[page] = true;
    if (taken_)
        taken_->push_back(page);
    return {};
}

result<std::optional<meta>> checking::read_metas() {
    struct stat status {};
    if (::fstat(file_, &status) != 0)
        return system_error(errno, "cannot look at", path_);
    std::array<std::byte, header_bytes + meta_bytes> stored{};
    std::optional<meta> newest;
    for (page_number page = 0; page != 2; ++page) {
        if (::pread(file_, stored.data(), stored.size(), static_cast<off_t>(page * page_bytes_)) !=
            static_cast<ssize_t>(stored.size()))
            return page == 0 ? result<std::optional<meta>>(std::nullopt)
                             : damaged(page, "it is missing");
        const auto body = bytes_view(stored).subspan(header_bytes);
        const bool is_meta =
            at<std::uint16_t>(stored, 10) == meta_page && at<std::uint32_t>(body, 0) == meta_magic;
        if (!is_meta && page == 0) {
            if (const auto version = later_data_version(stored); version != 0)
                return other_data_version(version);
            return std::optional<meta>();
        }
        if (!is_meta)
            return damaged(page, "it does not look like a meta page");
        if (const auto version = at<std::uint32_t>(body, 4); version != data_version)
            return page == 0 ? other_data_version(version)
                             : damaged(page, "its data version is not that of page 0");
        const meta found(body);
        if (page == 0) {
            page_bytes_ = found.free.pad;
            if (!std::has_single_bit(page_bytes_) || page_bytes_ < 512 || page_bytes_ > 65'536)
                return damaged(page, "its page size is none");
            file_pages_ = static_cast<std::uint64_t>(status.st_size) / page_bytes_;
        }
        if (at<std::uint64_t>(stored, 0) != page || found.free.pad != page_bytes_ ||
            (found.txn != 0 && (found.txn & 1) != page) || found.last_page < 1 ||
            (found.free.flags & ~no_directory) != integer_keys)
            return damaged(page, "what this meta page says cannot be");
        if (!newest || found.txn > newest->txn)
            newest = found;
    }
    return newest;
}

result<checked_pages> checking::check(const meta& newest) {
    last_page_ = newest.last_page;
    txn_ = newest.txn;
    // A file cannot have lost nearly everything and be worth a look; and a number that is damaged must
    // not cost memory.
    if (last_page_ / 2 > file_pages_ + 256)
        return cut_off();
    if (newest.main.flags != 0)
        return of_another_program();
    used_.assign(last_page_ + 1, false);
    if (auto checked = check_tree(newest.main, content::tables); !checked)
        return checked.error();
    if (auto checked = check_tree(newest.free, content::free_pages); !checked)
        return checked.error();
    check_derived_tables();
    for (auto page = file_pages_; page <= last_page_; ++page)
        if (!used_[page] && !complete_) // something that was not looked at may lead there
            return cut_off();
    return checked_pages{.last_txn = newest.txn,
                         .file_bytes = (last_page_ + 1) * page_bytes_,
                         .complete = complete_,
                         .damaged_tables = std::move(damaged_tables_)};
}

result<void> checking::check_tree(const tree& of, content holds) {
    const bool integers = (of.flags & integer_keys) != 0;
    walk all{.of = of,
             .kind = integers ? keys::integers : keys::any,
             .holds = holds,
             .leaves = holds != content::values || pages_of_tables_ + of.pages() <= most_pages_};
    if (of.root == no_page)
        return of.depth == 0 && of.entries == 0 && of.pages() == 0
                   ? result<void>()
                   : damaged(no_page, "a table without pages counts entries");
    if (of.depth == 0 || of.depth > max_depth)
        return damaged(of.root, "its table's depth cannot be");
    if (holds == content::values)
        pages_of_tables_ += of.pages();
    if (auto checked = check_below(all, of.root, 1); !checked)
        return checked;
    complete_ = complete_ && all.leaves;
    const bool counted =
        all.branch_pages == of.branch_pages && all.leaf_pages == of.leaf_pages &&
        (!all.leaves || (all.entries == of.entries && all.overflow_pages == of.overflow_pages));
    if (!counted)
        return damaged(of.root, "its table has not the pages and entries that it counts");
    return {};
}

result<void> checking::check_below(walk& all, page_number page, std::size_t level) {
    if (auto used = use(page); !used)
        return used;
    const bool leaf = level == all.of.depth;
    ++(leaf ? all.leaf_pages : all.branch_pages);
    if (leaf && !all.leaves)
        return page < file_pages_ ? result<void>() : read(page, levels_[level]).error();
    const auto bytes = read(page, levels_[level]);
    if (!bytes)
        return bytes.error();
    const auto count = check_form(page, *bytes, leaf ? leaf_page : branch_page);
    if (!count)
        return count.error();
    bytes_view before;
    std::size_t room = 0;
    for (std::size_t i = 0; i != *count; ++i) {
        const auto each = read_node(page, *bytes, i, leaf);
        if (!each)
            return each.error();
        room += (node_bytes + each->key.size() + each->value.size() + 1) & ~std::size_t{1};
        if (auto checked = check_keys(all, page, leaf, i, before, each->key); !checked)
            return checked;
        before = each->key;
        auto checked =
            leaf ? check_leaf_node(all, page, *each) : check_below(all, each->low, level + 1);
        if (!checked)
            return checked;
    }
    if (room != page_bytes_ - at<std::uint16_t>(*bytes, 14))
        return damaged(page, "its entries do not fill what they take");
    if (leaf)
        all.entries += *count;
    return {};
}

result<std::size_t> checking::check_form(page_number page, bytes_view bytes,
                                         std::uint16_t flags) const {
    const auto lower = at<std::uint16_t>(bytes, 12);
    const auto upper = at<std::uint16_t>(bytes, 14);
    if (at<std::uint64_t>(bytes, 0) != page)
        return damaged(page, "it says that it is another");
    if (at<std::uint16_t>(bytes, 10) != flags)
        return damaged(page, "it is of another kind than its table says");
    if (lower <= header_bytes || lower % 2 != 0 || lower > upper || upper > page_bytes_)
        return damaged(page, "its bounds cannot be");
    return std::size_t{lower - header_bytes} / 2;
}

result<node> checking::read_node(page_number page, bytes_view bytes, std::size_t index,
                                 bool leaf) const {
    const std::size_t offset = at<std::uint16_t>(bytes, header_bytes + 2 * index);
    if (offset < at<std::uint16_t>(bytes, 14) || offset % 2 != 0 ||
        offset + node_bytes > page_bytes_)
        return damaged(page, "an entry lies outside");
    node each;
    each.low = at<std::uint16_t>(bytes, offset) |
               std::uint64_t{at<std::uint16_t>(bytes, offset + 2)} << 16;
    each.flags = at<std::uint16_t>(bytes, offset + 4);
    const std::size_t key_bytes = at<std::uint16_t>(bytes, offset + 6);
    if (!leaf) // the page's number takes the place of the flags too
        each.low |= std::uint64_t{each.flags} << 32;
    const std::size_t value_bytes = !leaf                           ? 0
                                    : (each.flags & big_value) != 0 ? sizeof(page_number)
                                                                    : each.low;
    if (offset + node_bytes + key_bytes + value_bytes > page_bytes_)
        return damaged(page, "an entry reaches beyond its end");
    each.key = bytes.subspan(offset + node_bytes, key_bytes);
    each.value = bytes.subspan(offset + node_bytes + key_bytes, value_bytes);
    return each;
}

result<void> checking::check_keys(const walk& all, page_number page, bool leaf, std::size_t index,
                                  bytes_view before, bytes_view key) const {
    if (!leaf && index == 0)
        return {}; // not used: it stands for everything before the second
    if (all.kind == keys::integers && key.size() != 8)
        return damaged(page, "a key is not the number that it should be");
    if (key.empty() || key.size() > max_key_bytes)
        return damaged(page, "a key has a length that cannot be");
    if (index == (leaf ? 0U : 1U))
        return {};
    const bool in_order = all.kind == keys::integers
                              ? at<std::uint64_t>(before, 0) < at<std::uint64_t>(key, 0)
                              : std::ranges::lexicographical_compare(before, key);
    return in_order ? result<void>() : damaged(page, "its keys are out of order");
}

result<void> checking::check_leaf_node(walk& all, page_number page, const node& each) {
    const bool big = each.flags == big_value;
    if (!big && each.flags != (all.holds == content::tables ? table_value : 0)) {
        if (all.holds == content::tables)
            return of_another_program();
        return damaged(page, "an entry is of a kind that cannot be");
    }
    auto value = each.value;
    if (big) {
        const auto found = check_overflow(all, page, each);
        if (!found)
            return found.error();
        value = *found;
    }
    if (all.holds == content::tables)
        return check_table(each);
    return all.holds == content::free_pages ? check_free(page, each, value) : result<void>();
}

result<bytes_view> checking::check_overflow(walk& all, page_number page, const node& each) {
    const auto first = at<std::uint64_t>(each.value, 0);
    const auto needed = (header_bytes - 1 + each.low) / page_bytes_ + 1;
    if (first > last_page_ || needed > last_page_ - first + 1)
        return damaged(page, "a large value lies outside of the file");
    const auto bytes = read(first, overflow_);
    if (!bytes)
        return bytes;
    // A value that shrank in the transaction that wrote it keeps the pages that it had.
    const std::uint64_t count = at<std::uint32_t>(*bytes, 12);
    if (at<std::uint64_t>(*bytes, 0) != first || at<std::uint16_t>(*bytes, 10) != overflow_page ||
        count < needed || count > last_page_ - first + 1)
        return damaged(first, "it is not the large value that something expects there");
    for (auto next = first; next != first + count; ++next)
        if (auto used = use(next); !used)
            return used.error();
    all.overflow_pages += count;
    if (first + count > file_pages_)
        return cut_off();
    if (all.holds != content::free_pages)
        return bytes;
    overflow_.resize(header_bytes + each.low);
    const auto rest =
        ::pread(file_, overflow_.data(), overflow_.size(), static_cast<off_t>(first * page_bytes_));
    if (rest != static_cast<ssize_t>(overflow_.size()))
        return system_error(errno, "cannot read", path_);
    return bytes_view(overflow_).subspan(header_bytes);
}

result<void> checking::check_table(const node& each) {
    if (each.value.size() != tree_bytes || each.flags != table_value)
        return of_another_program();
    const tree of(each.value);
    const auto name = as_text(as_value(each.key));
    const auto known = std::ranges::find_if(tables_, [&](const expected_table& table) {
        return table.derived ? name.starts_with(table.name) : name == table.name;
    });
    if (known != tables_.end() && known->derived) {
        derived_.push_back(
            {std::string(name), {each.value.begin(), each.value.end()}, known->flags});
        return {};
    }
    if (known != tables_.end() && known->flags != of.flags)
        return of_another_program();
    if (of.flags != 0 && of.flags != integer_keys)
        return of_another_program();
    const auto kept = std::vector<std::byte>(each.value.begin(), each.value.end());
    // The pages of the tree above stay as they are meanwhile.
    auto levels = std::vector<std::vector<std::byte>>(max_depth + 2);
    levels_.swap(levels);
    auto checked = check_tree(tree(kept), content::values);
    levels_.swap(levels);
    return checked;
}

void checking::check_derived_tables() {
    // By their numbers: an old one that nobody uses must not pass for the owner of a page.
    const auto number_of = [](const derived_table& table) {
        const auto number = table.name.substr(std::min(table.name.find('.'), table.name.size()));
        return std::pair(number.size(), number);
    };
    std::ranges::stable_sort(derived_, std::ranges::greater(), number_of);
    pages_of_tables_ = 0;
    for (const auto& each : derived_) {
        const tree of(each.stored);
        taken_.emplace();
        auto checked = of.flags == each.flags
                           ? check_tree(of, content::values)
                           : damaged(of.root, "its table is of a kind that cannot be");
        if (checked)
            continue;
        for (const auto page : *taken_) // they may be another's
            used_[page] = false;
        damaged_tables_.push_back({each.name, checked.error().message});
    }
    taken_.reset();
}

result<void> checking::check_free(page_number page, const node& each, bytes_view list) {
    if (list.size() < 8 || at<std::uint64_t>(list, 0) > list.size() / 8 - 1)
        return damaged(page, "a list of free pages has no end");
    if (at<std::uint64_t>(each.key, 0) > txn_)
        return damaged(page, "pages were freed by a transaction that is to come");
    auto before = no_page;
    for (std::uint64_t i = 1; i <= at<std::uint64_t>(list, 0); ++i) {
        const auto freed = at<std::uint64_t>(list, 8 * i);
        if (freed >= before)
            return damaged(page, "a list of free pages is out of order");
        if (auto used = use(freed); !used)
            return used;
        before = freed;
    }
    return {};
}

} // namespace

result<checked_pages> check_pages(int file, const std::filesystem::path& path,
                                  std::span<const expected_table> tables,
                                  std::uint64_t most_pages) {
    checking all(file, path, tables, most_pages);
    const auto newest = all.read_metas();
    if (!newest)
        return newest.error();
    return *newest ? all.check(**newest) : result<checked_pages>(checked_pages{});
}

} // namespace annals::lmdb
