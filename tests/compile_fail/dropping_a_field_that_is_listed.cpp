// expect: ANNALS_DROPPED_FIELDS names a field that
#include "annals/event.hpp"

struct deposited {
    int sum = 0;
    ANNALS_DROPPED_FIELDS(sum)
    ANNALS_EVENT(deposited, "account.deposited", sum)
};
const auto stored = annals::to_bytes(deposited{});
