#pragma once

// Part of read_side_history.hpp.
#include "read_side_history.hpp"

namespace read_side {

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
        REQUIRE((code == annals::errc::version_out_of_reach || code == annals::errc::unavailable ||
                 code == annals::errc::deadline_exceeded));
        return;
    }
    ++count_.answers;
    const log_position at = came.position();
    CAPTURE(one.view, one.at_least, one.floor, at);
    REQUIRE(at >= one.at_least);
    subject& of = subjects_[one.view];
    if (one.era == of.era && of.steady)
        REQUIRE(at >= one.floor);
    told(one.view, one.era, at);
    if (one.by_this_version && one.era == of.era)
        for (const auto each : *came)
            REQUIRE(each % versions == version_);
    check(one.view, *came, at);
}

/// Nobody is told less from now on, except after a reset.
inline void history::told(const std::string& view, std::uint64_t era, log_position at) {
    subject& of = subjects_[view];
    if (era == of.era && of.steady && !of.resetting)
        of.floor = std::max(of.floor, at);
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
        if (--of.pausing == 0 && came && !of.pausing_at_once)
            of.paused = one.what == action::pause;
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
            for (auto each = wanted_.begin(); each != wanted_.end() && each->first < one.position;
                 ++each)
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
            subjects_[name].paused.reset();
            subjects_[name].pausing_at_once = subjects_[name].pausing++ > 0;
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
