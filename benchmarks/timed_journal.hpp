#pragma once

#include "account.hpp"
#include "timing.hpp"

#include <annals/journal.hpp>

#include <memory>
#include <vector>

/// Watching when events become durable, and when a view has them.
namespace bench {

/// By position. Each is written by one thread and read when all is over.
inline std::vector<steady::time_point>& durable_times() {
    static std::vector<steady::time_point> times;
    return times;
}
inline std::vector<steady::time_point>& seen_times() {
    static std::vector<steady::time_point> times;
    return times;
}

/// A journal that notes when it says that an event is durable.
class timed_journal final : public annals::journal {
public:
    explicit timed_journal(std::shared_ptr<annals::journal> of) : of_(std::move(of)) {}

    void append(std::shared_ptr<annals::append_operation> operation) override {
        of_->append(std::make_shared<timed>(std::move(operation)));
    }
    [[nodiscard]] annals::uuid id() const noexcept override { return of_->id(); }
    [[nodiscard]] annals::journal_capabilities capabilities() const noexcept override {
        return of_->capabilities();
    }
    [[nodiscard]] annals::result<annals::event_page>
    read_stream(std::string_view stream, annals::stream_version from, std::size_t max,
                annals::direction way) const override {
        return of_->read_stream(stream, from, max, way);
    }
    [[nodiscard]] annals::result<annals::event_page>
    read_all(annals::log_position after, std::size_t max,
             const annals::event_filter& filter) const override {
        return of_->read_all(after, max, filter);
    }
    [[nodiscard]] annals::log_position head() const noexcept override { return of_->head(); }
    [[nodiscard]] annals::result<annals::stream_info>
    describe(std::string_view stream) const override {
        return of_->describe(stream);
    }
    [[nodiscard]] annals::result<std::unique_ptr<annals::subscription>>
    subscribe(annals::log_position after, annals::event_filter filter,
              std::function<void()> wake) override {
        return of_->subscribe(after, std::move(filter), std::move(wake));
    }
    void close() override { of_->close(); }

private:
    class timed final : public annals::append_operation {
    public:
        explicit timed(std::shared_ptr<annals::append_operation> of) : of_(std::move(of)) {}
        [[nodiscard]] std::span<const annals::commit> commits() const noexcept override {
            return of_->commits();
        }
        void completed(std::span<const annals::append_result> results) noexcept override {
            const auto now = steady::now();
            for (const auto& each : results)
                if (each && each->position < durable_times().size())
                    durable_times()[each->position] = now;
            of_->completed(results);
        }

    private:
        std::shared_ptr<annals::append_operation> of_;
    };
    std::shared_ptr<annals::journal> of_;
};

struct timed_payments;
struct payments_seen {
    using view = timed_payments;
};
/// Notes when it folds each event.
struct timed_payments {
    static constexpr std::string_view name = "timed_payments";
    using query = std::variant<payments_seen>;
    using event = std::variant<payment_received>;
    std::int64_t payments = 0;
};
inline void evolve(timed_payments& all, const payment_received&,
                   const annals::logged_context& context) {
    ++all.payments;
    if (context.position < seen_times().size())
        seen_times()[context.position] = steady::now();
}
inline std::int64_t answer(const timed_payments& all, const payments_seen&) {
    return all.payments;
}

} // namespace bench
