// expect: rows cannot be ordered by this type of key
// rooms: persistence actors
#include "annals/stored_map.hpp"

#include <vector>

int rows(const annals::stored_map<std::vector<int>, int>& map) {
    return map.value_or({1, 2}, 0);
}
