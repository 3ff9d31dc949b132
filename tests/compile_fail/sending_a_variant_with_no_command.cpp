// expect: require_command<const char ?\*>.*this is no command|this is no command.*require_command<const char ?\*>
#include "annals/runtime.hpp"

#include "cart.hpp"

auto send(annals::runtime& rt) {
    return rt.send("17", std::variant<add_item, const char*>("tea"));
}
