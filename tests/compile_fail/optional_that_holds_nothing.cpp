// expect: cannot tell an empty optional from one that holds a std::monostate
#include "annals/host.hpp"

#include <optional>
#include <string>
#include <variant>

struct switch_on {};

struct switched {
    std::optional<std::monostate> on;
    ANNALS_EVENT(switched, "lamp.switched", on)
};

struct lamp {
    static constexpr std::string_view name = "lamp";
    using command = std::variant<switch_on>;
    using event = std::variant<switched>;
    using decision = annals::decision<event>;
};

lamp::decision decide(const lamp&, const switch_on&);
void evolve(lamp&, const switched&);

const annals::hosted made = annals::host<lamp>;
