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
    asked_.push_back({name, at_least, of.steady && !of.resetting ? of.floor : 0, of.era,
                      annals::future<taken>(request)});
    world_.engine().ask(std::move(request));
}
inline void history::ask() {
    const auto each =
        [this]<std::uint32_t Version>(std::integral_constant<std::uint32_t, Version>) {
            switch (world_.below(3)) {
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
        REQUIRE((*last == 0 || *update.answer != *value)); // each is a change
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
    const auto which = world_.below(3);
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
    const std::string name = names[world_.below(names.size())];
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
        ++of.pausing;
    }
    auto request = std::make_shared<annals::control_request>(what, position);
    ordered_.push_back({name, what, position, annals::future<log_position>(request)});
    world_.engine().control(name, std::move(request));
    ++count_.ordered;
}

// --- what comes of it ------------------------------------------------------------------------------

inline void history::harvest() {
    read_log();
    std::erase_if(asked_, [this](const asked& one) {
        if (one.answer.is_ready())
            answered(one);
        return one.answer.is_ready();
    });
    std::erase_if(ordered_, [this](const ordered& one) {
        if (one.answer.is_ready())
            done(one);
        return one.answer.is_ready();
    });
    std::erase_if(receipts_, [this](const annals::future<annals::receipt>& one) {
        if (one.is_ready())
            last_receipt_ = std::max(last_receipt_, one.get().value().position);
        return one.is_ready();
    });
    std::erase_if(joint_, [this](const auto& one) {
        if (!one.second.is_ready())
            return false;
        const auto came = one.second.get();
        if (came) {
            const auto& [first, second] = *came;
            REQUIRE(first.position() == came.position());
            REQUIRE(second.position() == came.position());
            REQUIRE(came.position() >= one.first);
            check("kept", *first, first.position());
            check("bare", *second, second.position());
            ++count_.joint;
        } else {
            CAPTURE(came.explanation());
            const auto code = came.error().code;
            REQUIRE((code == annals::errc::version_out_of_reach ||
                     code == annals::errc::unavailable || code == annals::errc::aborted));
        }
        return true;
    });
    check_deliveries();
}

inline void history::answered(const asked& one) {
    const auto came = one.answer.get();
    if (!came) {
        CAPTURE(one.view, one.at_least, came.explanation());
        const auto code = came.error().code;
        REQUIRE((code == annals::errc::version_out_of_reach || code == annals::errc::unavailable));
        return;
    }
    ++count_.answers;
    const log_position at = came.position();
    CAPTURE(one.view, one.at_least, one.floor, at);
    REQUIRE(at >= one.at_least);
    subject& of = subjects_[one.view];
    if (one.era == of.era && of.steady) {
        REQUIRE(at >= one.floor);
        of.floor = std::max(of.floor, at);
    }
    check(one.view, *came, at);
}

inline void history::done(const ordered& one) {
    const auto came = one.answer.get();
    subject& of = subjects_[one.of];
    CAPTURE(one.of, static_cast<int>(one.what), one.position, came.explanation());
    count_.done += came.has_value();
    count_.refused += !came;
    switch (one.what) {
    case action::reset:
        of.resetting = false;
        if (came)
            of.begins = {one.position};
        break;
    case action::pause:
    case action::resume:
        if (--of.pausing == 0 && came && !of.paused)
            of.paused = one.what == action::pause;
        else
            of.paused.reset();
        break;
    case action::replay:
    case action::give_up:
        if (came)
            REQUIRE(*came == one.position);
        break;
    case action::rebuild:
        if (one.of == "told" || one.of == "spread")
            REQUIRE(came.error().code == annals::errc::invalid_argument);
        break;
    }
}

/// It has everything up to `at`, once and in order, except what is before its beginning and what was
/// set aside before.
inline void history::check(const std::string& view, const taken& came, log_position at) {
    read_log();
    const subject& of = subjects_.at(view);
    std::vector<log_position> has;
    std::string wrong = at <= read_ ? "" : "it is ahead of the log";
    for (const auto each : came) {
        if (each % versions != came.front() % versions || each % versions > version_)
            wrong = "versions are mixed";
        has.push_back(each / versions);
    }
    if (view == "rows" && of.replayed)
        std::sort(has.begin(), has.end());
    log_position since = 0; // the latest beginning that it may have
    for (const auto each : of.resets)
        if (each <= at && (has.empty() || each < has.front()))
            since = each;
    auto next = has.begin();
    for (const auto& [position, stream] : wanted_) {
        if (position > at)
            break;
        if (next != has.end() && *next == position)
            ++next;
        else if (position > since && !of.listed.contains(position) &&
                 !of.given_up.contains(position))
            wrong = "it misses " + std::to_string(position);
    }
    if (next != has.end())
        wrong = "it should not have " + std::to_string(*next) + " where it is";
    if (!wrong.empty()) {
        CAPTURE(view, at, has, version_, of.resets, of.listed, of.given_up);
        FAIL(wrong);
    }
}

inline void history::check_deliveries() {
    for (const auto& [name, all] : outside().deliveries) {
        const subject& of = subjects_.at(name);
        auto& next = deliveries_checked_[name];
        positions before;
        if (next < all.size())
            for (std::size_t i = 0; i != next; ++i)
                before.insert(all[i].position);
        for (; next < all.size(); ++next) {
            const delivered& one = all[next];
            const bool from_now = name == "spread" && !of.was_reset;
            std::string wrong;
            if (!one.redelivered && before.contains(one.position))
                wrong = "it comes again and is not flagged";
            if (from_now && one.position <= from_now_)
                wrong = "it is from before the reaction began";
            for (auto each = wanted_.begin(); each != wanted_.end() && each->first < one.position; ++each)
                if (each->second == one.stream && each->first > *of.resets.rbegin() &&
                    each->first > (name == "spread" ? from_now_ : 0) &&
                    !before.contains(each->first))
                    wrong = "it comes before " + std::to_string(each->first);
            if (!wrong.empty()) {
                CAPTURE(name, one.position, of.resets);
                FAIL(wrong);
            }
            before.insert(one.position);
            ++count_.deliveries;
            count_.redeliveries += one.redelivered;
        }
    }
}

// --- the end ---------------------------------------------------------------------------------------

inline void history::settle() {
    how_.failing_percent = 0;
    how_.faulty_writes = 0;
    outside().mend();
    for (int round = 0; round != 3; ++round) {
        run_until_quiet();
        for (const char* name : names) {
            auto request = std::make_shared<annals::control_request>(action::resume, 0);
            ordered_.push_back({name, action::resume, 0, annals::future<log_position>(request)});
            ++subjects_[name].pausing;
            world_.engine().control(name, std::move(request));
        }
        run_until_quiet();
        pass(std::chrono::seconds(61));
    }
    run_until_quiet();
    REQUIRE(ordered_.empty()); // everything is answered
    REQUIRE(asked_.empty());
    REQUIRE(joint_.empty());
    REQUIRE(receipts_.empty());
    REQUIRE(world_.engine().drained());
    check_at_end();
    count_.failures = outside().failures;
}

inline void history::check_at_end() {
    const log_position head = world_.journal->head();
    for (const char* name : names) {
        const subject& of = subjects_[name];
        const auto now = status(name);
        CAPTURE(name, now.last_error, annals::to_string(now.now));
        REQUIRE(now.now == annals::projection_status::state::live);
        REQUIRE(now.position == head);
        REQUIRE_FALSE(now.rebuilding);
        const auto list = list_of(name);
        REQUIRE(now.set_aside == list.size());
        REQUIRE(list_of(std::string(name) + "-building").empty());
        REQUIRE(now.queries_waiting == 0);
        count_.listed += list.size();

        const auto record = annals::catalog::find(**world_.projections->snapshot(), name);
        const log_position since = (*record)->serving.since;
        CAPTURE(since, of.begins, list, of.given_up);
        if (now.kind == annals::projection_kind::reaction) {
            positions succeeded;
            for (const auto& one : outside().deliveries[name])
                if (one.succeeded)
                    succeeded.insert(one.position);
            for (const auto& [position, stream] : wanted_)
                if (position > *of.resets.rbegin() &&
                    (now.name == "told" || position > from_now_)) {
                    CAPTURE(position);
                    REQUIRE((succeeded.contains(position) || list.contains(position) ||
                             of.given_up.contains(position)));
                }
            continue;
        }
        REQUIRE(of.begins.contains(since));
        const auto at_end = [&](auto request) {
            request->at_least = head;
            annals::future<taken> answer(request);
            world_.engine().ask(std::move(request));
            world_.run_until_quiet();
            REQUIRE(answer.is_ready());
            return answer.get();
        };
        const auto ask_last = [&]<std::uint32_t V>(std::integral_constant<std::uint32_t, V>) {
            using std::make_shared;
            return now.name == "kept"
                       ? at_end(make_shared<annals::typed_query<kept<V>, taken_by<kept<V>>>>(
                             taken_by<kept<V>>{}))
                   : now.name == "bare"
                       ? at_end(make_shared<annals::typed_query<bare<V>, taken_by<bare<V>>>>(
                             taken_by<bare<V>>{}))
                       : at_end(make_shared<annals::typed_query<rows<V>, taken_by<rows<V>>>>(
                             taken_by<rows<V>>{}));
        };
        const auto last = version_ == 1   ? ask_last(std::integral_constant<std::uint32_t, 1>())
                          : version_ == 2 ? ask_last(std::integral_constant<std::uint32_t, 2>())
                                          : ask_last(std::integral_constant<std::uint32_t, 3>());
        REQUIRE(last);
        REQUIRE(last.position() == head);
        check(name, *last, head);
        positions has;
        for (const auto each : *last) {
            REQUIRE(each % versions == version_);
            has.insert(each / versions);
        }
        for (const auto& [position, stream] : wanted_) {
            CAPTURE(position);
            if (list.contains(position))
                REQUIRE_FALSE(has.contains(position));
            else if (position > since)
                REQUIRE((has.contains(position) || of.given_up.contains(position)));
            else if (!of.replayed)
                REQUIRE_FALSE(has.contains(position));
        }
        for (const watched& each : watched_)
            if (each.view == name && !*each.over)
                REQUIRE(*each.value == *last);
    }
}

// --- reading ---------------------------------------------------------------------------------------

inline void history::read_log() {
    const auto page = world_.journal->stored().read_all(read_, 100'000, {});
    REQUIRE(page);
    for (const auto& each : page->events) {
        read_ = each.position;
        if (each.type == "box.noted")
            wanted_.emplace(each.position, each.stream);
    }
}
inline positions history::list_of(const std::string& name) const {
    const auto all =
        annals::catalog::set_aside_positions(**world_.projections->snapshot(), name).value();
    return {all.begin(), all.end()};
}
inline void history::note_lists() {
    for (const char* name : names)
        for (const auto* part : {"", "-building"})
            subjects_[name].listed.merge(list_of(name + std::string(part)));
}
inline annals::projection_status history::status(const std::string& name) {
    const auto all = world_.engine().status().projections;
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == name; });
    REQUIRE(found != all.end());
    return *found;
}

} // namespace read_side
