#pragma once

#include "lmdb/journal/store.hpp"

namespace annals::lmdb {

/// A position in the log with a wake function; see `annals::subscription`.
class log_subscription final : public subscription {
public:
    log_subscription(std::shared_ptr<store> of, log_position after, event_filter filter,
                     std::function<void()> function);
    ~log_subscription() override;
    log_subscription(const log_subscription&) = delete;
    log_subscription& operator=(const log_subscription&) = delete;

    [[nodiscard]] result<event_page> next(std::size_t max) override;

private:
    std::shared_ptr<store> store_;
    log_position after_;
    event_filter filter_;
    std::shared_ptr<wake> wake_;
};

} // namespace annals::lmdb
