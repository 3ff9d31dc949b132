// expect: ANNALS_RENAMED_FIELDS takes pairs
#include "annals/event.hpp"

struct deposited {
    int sum = 0;
    ANNALS_RENAMED_FIELDS((sum, amount))
    ANNALS_EVENT(deposited, "account.deposited", sum)
};
const auto stored = annals::to_bytes(deposited{});
