#pragma once

#include <annals/domain.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <variant>

/// The domain that is measured: accounts that payments come in to. An event is 120 bytes on disk, an
/// account's state about 100 bytes in memory.
namespace bench {

struct record_payment {
    std::int64_t amount = 0;
    std::string currency;
    std::string reference;
    std::string memo;
};

/// Looks at the account and decides that there is nothing to store.
struct touch {};

struct payment_received {
    std::int64_t amount = 0;
    std::string currency;
    std::string reference;
    std::string memo;
    ANNALS_EVENT(payment_received, "account.payment_received", amount, currency, reference, memo)
};

struct account {
    static constexpr std::string_view name = "account";
    using command = std::variant<record_payment, touch>;
    using event = std::variant<payment_received>;
    using decision = annals::decision<event>;

    std::int64_t balance = 0;
    std::int64_t payments = 0;
    std::array<char, 84> last_reference{};
};

inline account::decision decide(const account&, const record_payment& wanted) {
    if (wanted.amount <= 0)
        return annals::reject("not a payment");
    return payment_received{wanted.amount, wanted.currency, wanted.reference, wanted.memo};
}

inline account::decision decide(const account&, const touch&) {
    return annals::nothing;
}

inline void evolve(account& to, const payment_received& payment) {
    to.balance += payment.amount;
    ++to.payments;
    const auto size = std::min(payment.reference.size(), to.last_reference.size());
    std::copy_n(payment.reference.begin(), size, to.last_reference.begin());
}

struct total_received {
    using view = struct turnover;
};

/// All payments to all accounts.
struct turnover {
    static constexpr std::string_view name = "turnover";
    using query = std::variant<total_received>;
    using event = std::variant<payment_received>;

    std::int64_t payments = 0;
    std::int64_t amount = 0;
};

inline void evolve(turnover& all, const payment_received& payment) {
    ++all.payments;
    all.amount += payment.amount;
}

inline turnover answer(const turnover& all, const total_received&) {
    return all;
}

/// Encodes to 120 bytes as an event.
inline record_payment a_payment() {
    return {1'250, "EUR", "RF18-5390-0754-7034-", std::string(58, 'm')};
}

/// The event that `a_payment` leads to, as the journal holds it.
inline annals::bytes encoded_payment() {
    const record_payment from = a_payment();
    return annals::to_bytes(
        payment_received{from.amount, from.currency, from.reference, from.memo});
}

} // namespace bench
