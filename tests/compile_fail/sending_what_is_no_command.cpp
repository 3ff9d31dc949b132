// expect: require_command<int>.*this is no command. A command is a struct|this is no command. A command is a struct.*require_command<int>
#include "annals/runtime.hpp"

auto send(annals::runtime& rt) {
    return rt.send("17", 42);
}
