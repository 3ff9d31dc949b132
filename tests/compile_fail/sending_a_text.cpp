// expect: this is no command. A command is a struct
#include "annals/runtime.hpp"

#include <string>

auto send(annals::runtime& rt) {
    return rt.send("17", std::string("add tea"));
}
