#pragma once

#include "annals/host.hpp"
#include "annals/testing/check.hpp"
#include "annals/testing/recorded.hpp"
#include "annals/testing/state.hpp"

#include <algorithm>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace annals::testing {

template <view V, class Q>
class answered;

/// The log that a view has read. Each step returns a longer scenario.
template <view V>
class view_scenario {
public:
    static_assert(complete_domain<V>::ok);

    /// What follows happens in `stream`: "cart-17". Without it: "given-1", or, if the view names
    /// its categories, number 1 of the first one. Streams of other categories pass the view by.
    [[nodiscard]] view_scenario from(std::string stream) const {
        view_scenario next(*this);
        next.stream_ = std::move(stream);
        return next;
    }

    /// What follows happens at `time`. Without it, time is the Unix epoch.
    [[nodiscard]] view_scenario at(timestamp time) const {
        view_scenario next(*this);
        next.about_.time = time;
        return next;
    }

    /// What follows comes with `about`. A zero time leaves what `at` said; a nil command id is
    /// replaced by one that is the same in every run.
    [[nodiscard]] view_scenario with(metadata about) const {
        view_scenario next(*this);
        if (about.time == timestamp{})
            about.time = about_.time;
        next.about_ = std::move(about);
        return next;
    }

    /// `events` happen.
    template <class... Events>
    [[nodiscard]] view_scenario and_given(const Events&... events) const {
        static_assert((events_of<Events, typename V::event> && ...),
                      "annals: this scenario takes events of its view (types listed in "
                      "View::event), the variant, or a vector of it");
        view_scenario next(*this);
        metadata about = next.about_;
        if (about.command_id.is_nil())
            about.command_id = uuid::of_name("annals::testing " + std::to_string(++next.steps_));
        (for_each_event<typename V::event>(
             events, [&](const auto& happened) { next.record(happened, about); }),
         ...);
        return next;
    }

    /// Asks the view, after all that happened so far.
    template <class Q>
    [[nodiscard]] answered<V, Q> ask(const Q& query) const {
        static_assert(is_alternative_of<Q, typename V::query>,
                      "annals: ask() takes a query of the view (a type listed in View::query)");
        return answered<V, Q>(fold(), query);
    }

    /// Tests the state: `expected` takes a `const V&` and returns bool, a check, or nothing (if it
    /// asserts on its own).
    template <class Expected>
    [[nodiscard]] check then_state(Expected&& expected) const {
        const auto folded = fold();
        return folded ? check_state(*static_cast<const V*>((*folded)->state()), expected)
                      : check::failed(folded.error().message);
    }

private:
    template <event E>
    void record(const E& happened, const metadata& about) {
        if (const auto lost = lost_by_encoding(happened); lost && flaw_.empty())
            flaw_ = *lost;
        const auto before = std::count_if(
            log_.begin(), log_.end(), [&](const recorded& one) { return one.stream == stream_; });
        log_.push_back({stream_, static_cast<stream_version>(before) + 1, event_name<E>(),
                        to_bytes(happened), about});
    }

    /// The view after its log, as the runtime feeds it.
    [[nodiscard]] result<std::shared_ptr<view_instance>> fold() const {
        if (!flaw_.empty())
            return error{errc::undecodable, flaw_};
        const hosting::typed_view_type<V> type;
        const event_filter wanted = type.filter();
        event_page page;
        for (const auto& one : log_)
            if (wanted.matches(one.stream, one.type))
                page.events.push_back(
                    one.as_stored(static_cast<log_position>(&one - log_.data()) + 1));
        page.through = log_.size();
        auto decoding = type.decode(page, 0, {});
        if (!decoding.status)
            return decoding.status.error();
        std::shared_ptr<view_instance> instance = type.make();
        if (auto folded = instance->fold(*decoding.decoded, 0, decoding.decoded->count);
            !folded.status)
            return folded.status.error();
        return instance;
    }

    [[nodiscard]] static std::string first_stream() {
        if constexpr (requires { V::categories; })
            for (std::string_view category : V::categories)
                return std::string(category) + "-1";
        return "given-1";
    }

    std::string stream_ = first_stream();
    metadata about_;
    std::size_t steps_ = 0;
    std::vector<recorded> log_;
    std::string flaw_; ///< why no check of this scenario can pass; empty if there is no such reason
};

/// What a view answered.
template <view V, class Q>
class answered {
public:
    using answer_type = answer_of<V, Q>;

    /// The answer is equal to `expected`, or, if that is a function of the answer that returns bool,
    /// the function says yes.
    template <class Expected>
    [[nodiscard]] check answers(const Expected& expected) const {
        if constexpr (std::predicate<const Expected&, const answer_type&>) {
            return expect(came_.has_value() && expected(*came_), "an answer that fulfils the test");
        } else {
            static_assert(comparable<Expected>,
                          "annals: answers() compares with ==, which this answer does not have; "
                          "give it `bool operator==(const Answer&) const = default;`, or pass a "
                          "function of the answer that returns bool");
            return expect(came_.has_value() && equal(*came_, expected), show(expected));
        }
    }

    /// The view refused to answer: `answers(rejected("unknown sku"))`.
    [[nodiscard]] check answers(const expected_rejection& expected) const {
        return expect(came_.is_rejected() && expected.allows(came_.rejection()),
                      describe(expected));
    }

private:
    friend class view_scenario<V>;

    answered(result<std::shared_ptr<view_instance>> folded, const Q& query)
        : view_(folded ? *folded : nullptr),
          came_(folded ? ask(*view_, query) : outcome<answer_type>(folded.error())) {}

    static outcome<answer_type> ask(const view_instance& of, const Q& query) {
        try {
            return answer(*static_cast<const V*>(of.state()), query);
        } catch (...) {
            return error{errc::handler_failed, "answer threw: " + describe_current_exception()};
        }
    }

    template <class Expected>
    static constexpr bool comparable = requires(const answer_type& got, const Expected& expected) {
        { got == expected } -> std::convertible_to<bool>;
    };

    template <class Expected>
    static bool equal(const answer_type& got, const Expected& expected) {
        // A count is compared with the literal 2 by value, whatever its signedness.
        if constexpr (stored_integer<answer_type> && stored_integer<Expected>)
            return std::cmp_equal(got, expected);
        else
            return got == expected;
    }

    [[nodiscard]] check expect(bool as_expected, const std::string& expected) const {
        if (came_.is_error())
            return check::failed(came_.error().message);
        if (as_expected)
            return check::passed();
        return check::failed("expected:\n  " + expected + "\nbut the view answered:\n  " +
                             (came_.is_rejected() ? describe(came_.rejection()) : show(*came_)));
    }

    std::shared_ptr<view_instance> view_; ///< answers may point into it
    outcome<answer_type> came_;
};

} // namespace annals::testing
