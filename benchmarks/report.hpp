#pragma once

#include "figure.hpp"

#include <ostream>
#include <vector>

namespace bench {

/// For people.
void write_table(std::ostream& to, const std::vector<figure>& figures);

/// For scripts: a list of objects; what was not measured is null.
void write_json(std::ostream& to, const std::vector<figure>& figures);

} // namespace bench
