// expect: neither an aggregate \(it needs the member types command, event and decision\) nor a view.*complete_domain<cart>|complete_domain<cart>.*neither an aggregate \(it needs the member types command, event and decision\) nor a view
#include "annals/host.hpp"

#include <string>
#include <variant>

struct cart {
    using command = std::variant<int>;
};

const annals::hosted made = annals::host<cart>;
