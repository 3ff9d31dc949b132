#pragma once

#include "annals/host.hpp"
#include "annals/testing/check.hpp"
#include "annals/testing/recorded.hpp"
#include "annals/testing/state.hpp"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace annals::testing {

template <aggregate A>
class decided;

/// The history of one aggregate. Each step returns a longer scenario.
template <aggregate A>
class scenario {
public:
    static_assert(complete_domain<A>::ok);

    /// What follows happens at `time`. Without it, time is the Unix epoch.
    [[nodiscard]] scenario at(timestamp time) const {
        scenario next(*this);
        next.about_.time = time;
        return next;
    }

    /// What follows comes with `about`. A zero time leaves what `at` said; a nil command id is
    /// replaced by one that is the same in every run.
    [[nodiscard]] scenario with(metadata about) const {
        scenario next(*this);
        if (about.time == timestamp{})
            about.time = about_.time;
        next.about_ = std::move(about);
        return next;
    }

    /// The aggregate's id, as `command_context` and `event_context` show it. Without it: "1".
    [[nodiscard]] scenario as_id(std::string id) const {
        scenario next(*this);
        next.id_ = std::move(id);
        for (auto& one : next.history_)
            one.stream = next.stream();
        return next;
    }

    /// `events` happen.
    template <class... Events>
    [[nodiscard]] scenario and_given(const Events&... events) const {
        static_assert((events_of<Events, typename A::event> && ...),
                      "annals: this scenario takes events of its aggregate (types listed in "
                      "Aggregate::event), the variant, or a vector of it");
        scenario next(*this);
        const metadata about = next.about_next_step();
        (for_each_event<typename A::event>(
             events, [&](const auto& happened) { next.record(happened, about); }),
         ...);
        return next;
    }

    /// The aggregate decides on `command`, on top of all that happened so far. Its events happen.
    template <class C>
    [[nodiscard]] decided<A> when(const C& command) const {
        static_assert(is_alternative_of<C, typename A::command>,
                      "annals: when() takes a command of the aggregate (a type listed in "
                      "Aggregate::command)");
        decided<A> next(*this);
        next.decide(command);
        return next;
    }

    /// Tests the state: `expected` takes a `const A&` and returns bool, a check, or nothing (if it
    /// asserts on its own).
    template <class Expected>
    [[nodiscard]] check then_state(Expected&& expected) const {
        if (!flaw_.empty())
            return check::failed(flaw_);
        const auto folded = fold();
        return folded ? check_state(folded->state(), expected)
                      : check::failed(folded.error().message);
    }

private:
    friend class decided<A>;

    [[nodiscard]] std::string stream() const { return std::string(A::name) + "-" + id_; }

    [[nodiscard]] metadata about_next_step() {
        metadata about = about_;
        ++steps_;
        if (about.command_id.is_nil())
            about.command_id = uuid::of_name("annals::testing " + std::to_string(steps_));
        return about;
    }

    template <event E>
    recorded& record(const E& happened, const metadata& about) {
        if (const auto lost = lost_by_encoding(happened); lost && flaw_.empty())
            flaw_ = *lost;
        return history_.emplace_back(
            recorded{stream(), history_.size() + 1, event_name<E>(), to_bytes(happened), about});
    }

    /// The aggregate after its history, as the runtime rehydrates it.
    [[nodiscard]] result<hosting::typed_aggregate<A>> fold() const {
        hosting::typed_aggregate<A> instance;
        for (const auto& one : history_)
            if (auto applied = instance.apply(one.as_stored(one.version)); !applied)
                return applied.error();
        return instance;
    }

    std::string id_ = "1";
    metadata about_;
    std::size_t steps_ = 0;
    std::vector<recorded> history_;
    std::string flaw_; ///< why no check of this scenario can pass; empty if there is no such reason
};

/// A scenario that ends with a decision.
template <aggregate A>
class decided : public scenario<A> {
public:
    using event = typename A::event;

    /// The last command led to exactly these events, in this order.
    template <class... Events>
    requires(sizeof...(Events) > 0) [[nodiscard]] check then(const Events&... expected) const {
        static_assert((events_of<Events, event> && ...),
                      "annals: then() takes events of the aggregate (types listed in "
                      "Aggregate::event), annals::nothing, or rejected(\"code\")");
        std::vector<recorded> wanted;
        std::string flaw;
        auto want = [&]<class E>(const E& one) {
            if (auto lost = lost_by_encoding(one); lost && flaw.empty())
                flaw = std::move(*lost);
            wanted.push_back({{}, 0, event_name<E>(), to_bytes(one), {}});
        };
        (for_each_event<event>(expected, want), ...);
        if (!flaw.empty())
            return check::failed(std::move(flaw));
        const auto* made = std::get_if<std::size_t>(&came_);
        return expect(made != nullptr && say_the_same(last(*made), wanted), describe(wanted));
    }

    /// The last command was fine and there was nothing to store.
    [[nodiscard]] check then(nothing_t) const {
        const auto* made = std::get_if<std::size_t>(&came_);
        return expect(made != nullptr && *made == 0, "nothing");
    }
    [[nodiscard]] check then_nothing() const { return then(nothing); }

    /// The domain refused the last command: `then(rejected("empty cart"))`.
    [[nodiscard]] check then(const expected_rejection& expected) const {
        const auto* why = std::get_if<rejection>(&came_);
        return expect(why != nullptr && expected.allows(*why), describe(expected));
    }

private:
    friend class scenario<A>;

    explicit decided(const scenario<A>& before) : scenario<A>(before) {}

    template <class C>
    void decide(const C& command) {
        const metadata about = this->about_next_step();
        const auto before = this->fold();
        if (!before) {
            fail(before.error().message);
            return;
        }
        try {
            const command_context context{this->id_, this->history_.size(), about};
            take(decide_on(before->state(), command, context), about);
        } catch (...) {
            fail("decide threw: " + describe_current_exception());
        }
    }

    void take(const typename A::decision& made, const metadata& about) {
        if (made.is_rejected()) {
            came_ = made.rejection();
            return;
        }
        for (const auto& one : made)
            std::visit([&](const auto& happened) { this->record(happened, about); }, one);
        came_ = made.size();
        if (const auto after = this->fold(); !after)
            fail(after.error().message);
    }

    void fail(std::string why) {
        if (this->flaw_.empty())
            this->flaw_ = std::move(why);
    }

    [[nodiscard]] std::span<const recorded> last(std::size_t count) const {
        return std::span(this->history_).last(count);
    }

    [[nodiscard]] check expect(bool as_expected, const std::string& expected) const {
        if (!this->flaw_.empty())
            return check::failed(this->flaw_);
        if (as_expected)
            return check::passed();
        const auto* made = std::get_if<std::size_t>(&came_);
        return check::failed(
            "expected:\n  " + expected + "\nbut the command led to:\n  " +
            (made != nullptr ? describe(last(*made)) : describe(std::get<rejection>(came_))));
    }

    /// What the last command came to: the number of its events, at the end of the history, or why
    /// it was refused.
    std::variant<std::size_t, rejection> came_;
};

} // namespace annals::testing
