// expect: annals/domain\.hpp.*(No such file or directory|file not found)
// rooms: persistence
#include "annals/domain.hpp"
