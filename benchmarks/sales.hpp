#pragma once

#include "account.hpp"

#include <annals/stored_map.hpp>

/// Projections of the measured domain besides `turnover`.
namespace bench {

/// One of several equal views: what each of them costs beside the others.
template <int Number>
struct turnover_copy {
    static constexpr std::array<std::string_view, 4> names{"turnover_0", "turnover_1", "turnover_2",
                                                           "turnover_3"};
    static constexpr std::string_view name = names[Number];
    struct total {
        using view = turnover_copy;
    };
    using query = std::variant<total>;
    using event = std::variant<payment_received>;

    std::int64_t payments = 0;
    std::int64_t amount = 0;
};
template <int Number>
void evolve(turnover_copy<Number>& all, const payment_received& payment) {
    ++all.payments;
    all.amount += payment.amount;
}
template <int Number>
std::int64_t answer(const turnover_copy<Number>& all,
                    const typename turnover_copy<Number>::total&) {
    return all.payments;
}

struct balances_on_disk;
struct balance_of {
    using view = balances_on_disk;
    std::string account;
};
struct stored_balance {
    std::int64_t amount = 0;
    std::int64_t payments = 0;
    ANNALS_FIELDS(stored_balance, amount, payments)
};
/// The balance of each account, on disk: one row changes with each event.
struct balances_on_disk {
    static constexpr std::string_view name = "balances_on_disk";
    using query = std::variant<balance_of>;
    using event = std::variant<payment_received>;
    annals::stored_map<std::string, stored_balance> by_account;
    ANNALS_FIELDS(balances_on_disk, by_account)
};
inline void evolve(balances_on_disk& all, const payment_received& payment,
                   const annals::logged_context& context) {
    all.by_account.change(std::string(context.id), [&](stored_balance& row) {
        row.amount += payment.amount;
        ++row.payments;
    });
}
inline std::int64_t answer(const balances_on_disk& all, const balance_of& query) {
    return all.by_account.value_or(query.account, {}).payments;
}

} // namespace bench
