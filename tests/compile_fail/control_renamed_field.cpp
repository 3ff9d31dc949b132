// expect-success
#include "annals/event.hpp"

#include <string>

struct deposited {
    int sum = 0;
    std::string currency;
    ANNALS_RENAMED_FIELDS((amount, sum), (betrag, sum))
    ANNALS_DROPPED_FIELDS(note, by)
    ANNALS_EVENT(deposited, "account.deposited", sum, currency)
};
const auto stored = annals::to_bytes(deposited{});
const auto back = annals::from_bytes<deposited>(stored);
