#include "annals/caf.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

namespace annals {

namespace {

/// From the callback thread back to the gateway, because a promise belongs to its actor.
struct answer_message {
    caf::response_promise promise;
    caf::message answer;
};

/// A task that hands over the next update of a live query, for the gateway to run when it may.
struct update_message {
    std::uint64_t line = 0;
    std::function<void()> hand_over;
};

} // namespace

} // namespace annals

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::answer_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(annals::update_message)

namespace annals {

namespace {

/// Runs tasks in the gateway, one by one as their line is free.
class in_gateway final : public blocking_executor {
public:
    in_gateway(caf::weak_actor_ptr gateway, std::uint64_t line)
        : gateway_(std::move(gateway)),
          line_(line) {}
    void post(std::function<void()> task) override {
        if (const auto there = caf::actor_cast<caf::actor>(gateway_))
            caf::anon_send(there, update_message{line_, std::move(task)});
    }
    void stop() override {}

private:
    const caf::weak_actor_ptr gateway_;
    const std::uint64_t line_;
};

class gateway final : public caf::event_based_actor {
public:
    gateway(caf::actor_config& cfg, std::shared_ptr<runtime_door> door)
        : caf::event_based_actor(cfg),
          door_(std::move(door)) {
        set_down_handler([this](const caf::down_msg& m) { receiver_ended(m.source); });
    }

    const char* name() const override { return "annals.gateway"; }

    caf::behavior make_behavior() override {
        return {
            [this](const actor_request& request) {
                auto promise = make_response_promise();
                request.submit(
                    *door_, [promise, me = caf::actor_cast<caf::actor>(this)](caf::message answer) {
                        caf::anon_send(me, answer_message{promise, std::move(answer)});
                    });
                return promise;
            },
            [](const answer_message& m) {
                auto promise = m.promise;
                promise.deliver(m.answer);
            },
            [this](const actor_live_query& query) { begin(query); },
            [this](const cancel_live& which) {
                cancel(caf::actor_cast<caf::actor>(current_sender()), which.id);
            },
            [this](const update_message& m) { hand_over(m); },
        };
    }

    void on_exit() override { lines_.clear(); }

private:
    /// One live query and its receiver.
    struct line {
        caf::actor receiver;
        std::uint64_t id = 0;
        live_query watching;
        bool busy = false; ///< an update has been sent and is not answered yet
        bool last = false; ///< it was the last
        std::function<void()> next;
    };

    void begin(const actor_live_query& query) {
        const auto receiver = caf::actor_cast<caf::actor>(current_sender());
        if (!receiver)
            return; // sent anonymously: there is nobody to tell
        cancel(receiver, query.id);
        if (!has_lines(receiver))
            monitor(receiver);
        const std::uint64_t number = ++last_line_;
        line& made = lines_[number];
        made.receiver = receiver;
        made.id = query.id;
        made.watching = query.begin(
            *door_,
            [this, number](caf::message update, bool last) {
                send_update(number, std::move(update), last);
            },
            std::make_shared<in_gateway>(caf::actor_cast<caf::weak_actor_ptr>(this), number));
    }

    void hand_over(const update_message& m) {
        const auto found = lines_.find(m.line);
        if (found == lines_.end())
            return;
        if (found->second.busy)
            found->second.next = m.hand_over;
        else
            m.hand_over(); // calls send_update
    }

    void send_update(std::uint64_t number, caf::message update, bool last) {
        line& to = lines_.at(number);
        to.busy = true;
        to.last = last;
        request(to.receiver, caf::infinite, std::move(update))
            .then([this, number] { handled(number); },
                  [this, number](const caf::error& why) {
                      if (why == caf::sec::unexpected_response) // it answered with something
                          handled(number);
                      else
                          end(number);
                  });
    }

    void handled(std::uint64_t number) {
        const auto found = lines_.find(number);
        if (found == lines_.end())
            return;
        found->second.busy = false;
        if (found->second.last)
            end(number);
        else if (const auto next = std::exchange(found->second.next, nullptr))
            next();
    }

    void end(std::uint64_t number) {
        const auto ended = lines_.extract(number);
        if (!ended.empty() && !has_lines(ended.mapped().receiver))
            demonitor(ended.mapped().receiver);
    }

    void cancel(const caf::actor& receiver, std::uint64_t id) {
        for (const auto& [number, each] : lines_)
            if (each.id == id && each.receiver == receiver) {
                end(number);
                return;
            }
    }

    void receiver_ended(const caf::actor_addr& whose) {
        std::erase_if(lines_,
                      [&](const auto& each) { return each.second.receiver.address() == whose; });
    }

    [[nodiscard]] bool has_lines(const caf::actor& receiver) const {
        return std::any_of(lines_.begin(), lines_.end(),
                           [&](const auto& each) { return each.second.receiver == receiver; });
    }

    const std::shared_ptr<runtime_door> door_;
    std::map<std::uint64_t, line> lines_;
    std::uint64_t last_line_ = 0;
};

} // namespace

std::uint64_t new_live_id() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

caf::actor spawn_gateway(caf::actor_system& system, runtime& rt) {
    return system.spawn<gateway>(rt.door());
}

} // namespace annals
