// expect-success
#include "annals/runtime.hpp"

#include "cart.hpp"

auto send(annals::runtime& rt) {
    return rt.send("17", add_item{"tea"});
}
auto send_either(annals::runtime& rt, cart::command either) {
    return rt.send("17", std::move(either));
}
