#pragma once

#include "annals/host_reaction.hpp"
#include "annals/host_stored.hpp"
#include "annals/hosting.hpp"

namespace annals {

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

} // namespace annals
