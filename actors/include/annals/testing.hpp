#pragma once

/// Given/when/then for a domain: what happened, what is asked for, what comes of it. No runtime, no
/// actors, no disk, and any test framework:
///
///     using namespace annals::testing;
///     assert(given<cart>(item_added{"tea", 2}).when(remove_item{"tea"}).then(item_removed{"tea"}));
///     assert(given<cart>().when(check_out{}).then(rejected("empty cart")));
///     assert(given_view<demand>(item_added{"tea", 2}).ask(demand_for{"tea"}).answers(2));
///
/// Each line yields a `check`: true or false, and an explanation of what came instead. Under Catch2
/// `ANNALS_REQUIRE(given<cart>()...)` prints it (annals/testing_catch2.hpp).
///
/// Every event, given or decided, is folded as it comes back from the codec and by the code that the
/// runtime uses. So a field that ANNALS_EVENT forgot fails the test, not the first restart.
///
/// A scenario never changes: each step returns a longer one, so that several may share a beginning.
///
///     const auto full = given<cart>(item_added{"tea", 99});
///     full.when(add_item{"tea", 1}).then(...)   full.when(check_out{}).then(...)

#include "annals/testing/aggregate_scenario.hpp"
#include "annals/testing/view_scenario.hpp"

namespace annals::testing {

/// An aggregate of type A to which `history` has happened.
template <class A, class... Events>
[[nodiscard]] auto given(const Events&... history) {
    static_assert(aggregate<A>, "annals: given<T>() is for aggregates; for a view write "
                                "given_view<T>()");
    return scenario<A>().and_given(history...);
}

/// A view of type V that has seen `history`.
template <class V, class... Events>
[[nodiscard]] auto given_view(const Events&... history) {
    static_assert(view<V>, "annals: given_view<T>() is for views; for an aggregate write "
                           "given<T>()");
    return view_scenario<V>().and_given(history...);
}

} // namespace annals::testing
