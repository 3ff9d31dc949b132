#pragma once

// Part of read_side_history.hpp.
#include "read_side_history.hpp"

namespace read_side {

// --- lives -----------------------------------------------------------------------------------------

template <std::uint32_t Version>
std::vector<annals::hosted> history::types() const {
    annals::projection_options with;
    with.on_failure.then = how_.then;
    with.on_failure.retries = how_.retries;
    with.on_failure.first_delay = std::chrono::milliseconds(10);
    auto saved = with;
    saved.save_every = 5;
    auto spread = with;
    spread.partitions = 2;
    return {annals::host<box>,
            annals::host<kept<Version>>(saved),
            annals::host<bare<Version>>(with),
            annals::host<rows<Version>>(with),
            annals::host_reaction(teller<false>{}, annals::reaction_start::beginning, with),
            annals::host_reaction(teller<true>{}, annals::reaction_start::now, spread)};
}

inline void history::open() {
    if (subjects_.empty())
        from_now_ = world_.journal->head();
    for (const char* name : names) {
        subject& of = subjects_[name];
        of.steady = true;
        of.floor = 0;
        ++of.era;
    }
    world_.open(version_ == 1 ? types<1>() : version_ == 2 ? types<2>() : types<3>());
    note_lists();
    for (const char* name : names) {
        const auto now = status(name);
        if (subjects_[name].paused)
            REQUIRE((now.now == annals::projection_status::state::paused) ==
                    *subjects_[name].paused);
        REQUIRE(now.set_aside == list_of(name).size());
        // At once: who waits until it is not rebuilding waits for what this version says.
        const auto record = annals::catalog::find(**world_.projections->snapshot(), name).value();
        CAPTURE(name, record->serving.version, record->building.space, version_);
        if (now.kind == annals::projection_kind::stored_view)
            REQUIRE(now.rebuilding.has_value() == (record->building.space != 0));
        else if (now.kind == annals::projection_kind::view)
            REQUIRE(now.rebuilding.has_value() ==
                    (record->serving.space != 0 && record->serving.version != version_));
        if (now.rebuilding) {
            REQUIRE(now.version == record->serving.version);
            REQUIRE(now.rebuilding->version == version_);
        }
    }
}

inline void history::crash(bool raised_version) {
    harvest();
    for (const ordered& one : ordered_) { // nobody will know what became of them
        subject& of = subjects_[one.of];
        if (one.what == action::reset) {
            of.begins.insert(one.position);
            of.resetting = false;
        } else if (one.what == action::give_up) {
            of.given_up.insert(one.position);
        }
    }
    for (auto& [name, of] : subjects_)
        of.pausing = 0;
    ordered_.clear();
    asked_.clear();
    joint_.clear();
    watched_.clear();
    receipts_.clear();
    world_.die();
    if (raised_version && version_ < 3) {
        ++version_;
        for (const char* name : {"kept", "bare", "rows"})
            subjects_[name].begins.insert(0);
    }
    open();
}

inline void history::run_until_quiet() {
    world_.run_until_quiet();
    harvest();
    for (auto& [name, of] : subjects_)
        of.steady = of.steady || !of.resetting;
}

// --- asking ----------------------------------------------------------------------------------------

template <class V>
void history::ask_view() {
    const std::string name(V::name);
    const subject& of = subjects_[name];
    auto request = std::make_shared<annals::typed_query<V, taken_by<V>>>(taken_by<V>{});
    request->continue_on(world_.callbacks);
    log_position at_least = 0;
    switch (world_.below(4)) {
    case 0: // what it has sent itself
        at_least = request->at_least = last_receipt_;
        break;
    case 1: // the latest
        request->as_of = world_.clock->steady();
        at_least = world_.journal->head();
        break;
    default:
        break;
    }
    const bool steady = of.steady && !of.resetting;
    asked_.push_back({name, at_least, steady ? of.floor : 0, of.era,
                      steady && !status(name).rebuilding, annals::future<taken>(request)});
    world_.engine().ask(std::move(request));
}
inline void history::ask() {
    const auto each =
        [this]<std::uint32_t Version>(std::integral_constant<std::uint32_t, Version>) {
            switch (one_that_answers()) {
            case 0:
                return ask_view<kept<Version>>();
            case 1:
                return ask_view<bare<Version>>();
            default:
                return ask_view<rows<Version>>();
            }
        };
    if (version_ == 1)
        each(std::integral_constant<std::uint32_t, 1>());
    else if (version_ == 2)
        each(std::integral_constant<std::uint32_t, 2>());
    else
        each(std::integral_constant<std::uint32_t, 3>());
}

inline void history::look() {
    const std::string name = names[one_that_answers()];
    subject& of = subjects_[name];
    const auto era = of.era;
    if (world_.below(8) == 0) {
        const log_position position = world_.below(world_.journal->head() + 1);
        world_.engine().when_reached(std::array<std::string, 1>{name}, position,
                                     annals::steady_time::max(),
                                     [this, name, era, position](const annals::result<void>& how) {
                                         if (!how)
                                             return;
                                         told(name, era, position);
                                         ++count_.reached;
                                     });
        return;
    }
    const log_position at = status(name).position;
    if (name == "rows" && of.steady && !of.resetting) { // one in memory may go back while it waits
        CAPTURE(at, of.floor);
        REQUIRE(at >= of.floor);
    }
    told(name, era, at);
    ++count_.looks;
}

template <std::uint32_t Version>
void history::ask_both() {
    using request_type = annals::typed_joint<taken_by<kept<Version>>, taken_by<bare<Version>>>;
    auto request =
        std::make_shared<request_type>(taken_by<kept<Version>>{}, taken_by<bare<Version>>{});
    request->at_least = world_.below(3) == 0 ? last_receipt_ : 0;
    request->continue_on(world_.callbacks);
    joint_.emplace_back(request->at_least, annals::future<joint>(request));
    world_.engine().ask_together(std::move(request));
}
inline void history::ask_together() {
    version_ == 1 ? ask_both<1>() : version_ == 2 ? ask_both<2>() : ask_both<3>();
}

template <class V>
void history::watch_view() {
    const std::string name(V::name);
    const subject& of = subjects_[name];
    watched made{name,
                 std::make_shared<log_position>(0),
                 std::make_shared<taken>(),
                 std::make_shared<bool>(false),
                 of.steady && !of.resetting ? of.era : 0,
                 {}};
    annals::live_options with;
    with.buffer = 1 + world_.below(3);
    const auto receive = [this, name, last = made.last, value = made.value, over = made.over,
                          era = made.era](const annals::live_update<taken>& update) {
        REQUIRE_FALSE(*over);
        *over = update.last;
        if (update.last) {
            REQUIRE(update.answer.is_error());
            return;
        }
        REQUIRE(update.answer);
        check(name, *update.answer, update.answer.position());
        if (era == subjects_[name].era)
            REQUIRE(update.answer.position() >= *last);
        // Each is a change, if not of what was seen, then of what was skipped.
        REQUIRE((*last == 0 || update.skipped > 0 || *update.answer != *value));
        *last = update.answer.position();
        *value = *update.answer;
        ++count_.updates;
    };
    auto request = std::make_shared<annals::typed_live<V, taken_by<V>>>(taken_by<V>{}, with,
                                                                        receive, world_.callbacks);
    made.handle = annals::live_query([request] { request->cancel(); });
    watched_.push_back(std::move(made));
    world_.engine().watch(request);
}
inline void history::watch() {
    const auto which = one_that_answers();
    const auto each = [&]<std::uint32_t Version>(std::integral_constant<std::uint32_t, Version>) {
        which == 0   ? watch_view<kept<Version>>()
        : which == 1 ? watch_view<bare<Version>>()
                     : watch_view<rows<Version>>();
    };
    if (version_ == 1)
        each(std::integral_constant<std::uint32_t, 1>());
    else if (version_ == 2)
        each(std::integral_constant<std::uint32_t, 2>());
    else
        each(std::integral_constant<std::uint32_t, 3>());
}

inline void history::order(std::vector<action> among) {
    const std::string name = names[how_.rows_only ? 2 : world_.below(names.size())];
    subject& of = subjects_[name];
    const action what = among[world_.below(among.size())];
    log_position position = 0;
    if (what == action::reset) {
        if (std::exchange(of.resetting, true))
            return;
        position = world_.below(2) == 0 ? 0 : world_.below(world_.journal->head() + 1);
        of.was_reset = true;
        of.resets.insert(position);
        of.steady = false;
        of.floor = 0;
        ++of.era;
    } else if (what == action::replay || what == action::give_up) {
        const auto list = list_of(name);
        if (list.empty())
            return;
        position = *std::next(list.begin(), static_cast<long>(world_.below(list.size())));
        of.replayed = of.replayed || what == action::replay;
        if (what == action::give_up)
            of.given_up.insert(position);
    } else if (what == action::pause || what == action::resume) {
        of.paused.reset();
        of.pausing_at_once = of.pausing++ > 0;
    }
    auto request = std::make_shared<annals::control_request>(what, position);
    ordered_.push_back({name, what, position, annals::future<log_position>(request)});
    world_.engine().control(name, std::move(request));
    ++count_.ordered;
}

} // namespace read_side
