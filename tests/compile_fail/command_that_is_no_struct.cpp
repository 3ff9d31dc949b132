// expect: require_command<int>.*this is no command. A command is a struct|this is no command. A command is a struct.*require_command<int>
#include "cart.hpp"

struct counter {
    static constexpr std::string_view name = "counter";
    using command = std::variant<add_item, int>;
    using event = std::variant<item_added>;
    using decision = annals::decision<event>;
};
counter::decision decide(const counter&, const add_item&);
counter::decision decide(const counter&, const int&);
counter evolve(counter, const item_added&);

static_assert(annals::complete_domain<counter>::ok);
