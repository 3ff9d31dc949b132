#pragma once

#include "annals/host_reaction.hpp"
#include "annals/host_stored.hpp"
#include "annals/hosting.hpp"

namespace annals {

/// A view whose versions host threads can read: one in memory that can be copied.
template <class V>
concept publishable_view = view<V> && !names_stored_maps<V> && std::copy_constructible<V>;

/// What the compiler says of a view that is to be published and cannot be.
template <class V>
struct require_publishable {
    static constexpr bool ok = publishable_view<V>;
    static_assert(view<V>, "annals: only a view publishes versions of itself");
    static_assert(
        !names_stored_maps<V>,
        "annals: a stored view publishes no versions: each of its answers reads a snapshot "
        "of its rows. Host it with annals::host");
    static_assert(
        !view<V> || names_stored_maps<V> || std::copy_constructible<V>,
        "annals: a published version is a copy of the view, and this view cannot be copied. "
        "Give it a copy constructor, or host it with annals::host");
};

namespace hosting {

template <class T>
hosted make_hosted(projection_options options) {
    if constexpr (!complete_domain<T>::ok) {
        return {}; // does not compile; complete_domain has said what is missing
    } else if constexpr (aggregate<T>) {
        static const typed_aggregate_type<T> type;
        return {&type, nullptr, {}};
    } else if constexpr (reaction<T>) {
        static_assert(view<T>, "annals: a reaction is hosted with its object and its beginning: "
                               "annals::host_reaction(T{...}, annals::reaction_start::now)");
        return {};
    } else if constexpr (names_stored_maps<T>) {
        return {nullptr, only_one<typed_stored_view_type<T>, projection_type>(),
                std::move(options)};
    } else {
        return {nullptr, only_one<typed_view_type<T>, projection_type>(), std::move(options)};
    }
}

template <class V>
hosted make_published(projection_options options) {
    if constexpr (require_publishable<V>::ok) {
        hosted made = make_hosted<V>(std::move(options));
        made.publish = true;
        return made;
    } else {
        return {}; // does not compile; require_publishable has said why
    }
}

} // namespace hosting

/// Tells `runtime::open` to host aggregate or view T: `runtime::open("shop.db", host<cart>,
/// host<demand>({.save_every = 100'000}))`.
template <class T>
struct host_t {
    operator hosted() const { return hosting::make_hosted<T>({}); }
    hosted operator()(projection_options options) const requires view<T> {
        return hosting::make_hosted<T>(std::move(options));
    }
};
template <class T>
inline constexpr host_t<T> host{};

/// The same for a view in memory that host threads also read without a message (`runtime::reader`):
/// `host_published<demand>`, `host_published<demand>({.save_every = 100'000})`. The view must be
/// copyable: each published version is a copy. At most a tenth of the view's time is spent on copying.
template <class V>
struct host_published_t {
    operator hosted() const { return hosting::make_published<V>({}); }
    hosted operator()(projection_options options) const {
        return hosting::make_published<V>(std::move(options));
    }
};
template <class V>
inline constexpr host_published_t<V> host_published{};

} // namespace annals
