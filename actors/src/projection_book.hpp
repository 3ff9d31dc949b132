#pragma once

#include "annals/hosted.hpp"
#include "annals/log_mark.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace annals {

/// One projection's record in the catalog, and what was read there at opening. Its actors share it:
/// every change of the record goes through here, so that none undoes another's. Thread-safe.
class projection_book : public std::enable_shared_from_this<projection_book> {
public:
    /// What the catalog says when the store is opened. A projection that the store has never seen is
    /// entered; a reaction "from now" then begins behind `head`, the log's last event. Blocks on the
    /// disk.
    /// `invalid_argument` if the name belongs to another kind of projection.
    [[nodiscard]] static result<std::shared_ptr<projection_book>>
    open(const hosted& what, std::shared_ptr<projection_store> store, const log_mark& head);

    /// As it is stored.
    [[nodiscard]] projection_record record() const;
    /// What becomes of the record, and of rows with it.
    using changing = std::function<void(projection_record&, row_changes&)>;
    /// Changes the record, in the same transaction as `also`. One change after the other: `how` is
    /// called when the one before it is stored or refused, so that it rests on what is stored. `done`
    /// as in `projection_store::apply`; it must not change the record itself.
    void change(changing how, row_changes also, projection_store::applied done);
    /// The same, but only if it still is that era when it is its turn; otherwise `done` gets `aborted`.
    void change_in(std::uint64_t era, changing how, row_changes also,
                   projection_store::applied done);
    /// A reset or a rebuild begins a new era: what is saved of the state before it no longer counts.
    void begin_era() {
        const std::lock_guard lock(mutex_);
        ++era_;
    }
    [[nodiscard]] std::uint64_t era() const {
        const std::lock_guard lock(mutex_);
        return era_;
    }
    /// Nothing is saved in it.
    static constexpr std::uint64_t no_era = 0;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// The generation that the type, as it is now, makes; without a space.
    [[nodiscard]] const generation_record& present() const noexcept { return present_; }
    /// What the opening found; see `projection_status::note`.
    [[nodiscard]] const std::string& note() const noexcept { return note_; }
    [[nodiscard]] projection_store& store() const noexcept { return *store_; }
    [[nodiscard]] const std::shared_ptr<projection_store>& shared_store() const noexcept {
        return store_;
    }

    // --- events that are set aside -----------------------------------------------------------------
    //
    // Each generation has its own, because one may take what another could not: the list that operators
    // see is that of the one that serves, and what is built beside it brings its own when it takes its
    // place.

    enum class list : std::uint8_t { serving, building };
    /// Positions of events that what serves has set aside, sorted.
    [[nodiscard]] std::vector<log_position> set_aside() const;
    [[nodiscard]] std::vector<log_position> set_aside_by_building() const;
    [[nodiscard]] bool has_set_aside(log_position position) const;
    [[nodiscard]] std::size_t set_aside_count(list of) const;
    /// The row of a list; it is not known of before `now_set_aside`.
    void put_set_aside(row_changes& into, list of, const set_aside_event& what) const;
    void erase_set_aside(row_changes& into, list of, log_position position) const;
    void now_set_aside(list in, const set_aside_event& what);
    void no_longer_set_aside(log_position position);
    /// Rows: what is built takes its place, with its list.
    void adopt_set_aside(row_changes& into) const;
    void set_aside_adopted();
    /// Rows: nothing is set aside any more by this generation.
    void clear_set_aside(row_changes& into, list of) const;
    void set_aside_cleared(list of);

    /// Made by the same version, with rows of the same shape and meaning, as far as that is known.
    [[nodiscard]] static bool same_make(const generation_record& one,
                                        const generation_record& other) {
        return one.version == other.version && one.shape == other.shape &&
               (one.meaning == other.meaning || one.meaning == 0 || other.meaning == 0);
    }
    /// Under which what is being built lists the events that it has set aside. No projection has a '-'
    /// in its name.
    [[nodiscard]] static std::string building_name(std::string_view name) {
        return std::string(name) + "-building";
    }

private:
    projection_book(std::string name, std::shared_ptr<projection_store> store)
        : name_(std::move(name)),
          store_(std::move(store)) {}

    struct waiting_change {
        std::optional<std::uint64_t> era;
        changing how;
        row_changes also;
        projection_store::applied done;
    };
    void queue(waiting_change next);
    void apply_next();
    void applied(const projection_record& after, const projection_store::applied& done,
                 const result<void>& how);
    [[nodiscard]] std::string name_of(list which) const;
    [[nodiscard]] result<void> read_set_aside(row_snapshot& in);
    [[nodiscard]] result<void> enter(const hosted& what, const log_mark& head);
    void describe(const projection_type& type);
    /// What it is and what it lists were not known before, or have changed without a new version.
    void take_note(const projection_type& type, bool known);

    const std::string name_;
    const std::shared_ptr<projection_store> store_;
    mutable std::recursive_mutex mutex_; ///< a store may answer inside `apply`
    generation_record present_;
    std::string note_;
    projection_record stored_; ///< as it was found at opening
    projection_record record_;
    std::deque<waiting_change> waiting_;
    bool changing_ = false;
    std::vector<log_position> set_aside_;
    std::map<log_position, set_aside_event> set_aside_by_building_;
    std::uint64_t era_ = no_era + 1;
};

} // namespace annals
