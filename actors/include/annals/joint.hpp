#pragma once

#include "annals/request.hpp"

#include <array>
#include <atomic>
#include <tuple>
#include <utility>

namespace annals {

/// Several queries to views in memory that are answered at one common log position.
///
/// Each view says where it is, and goes on. Once all have said so, the position is the foremost that one
/// of them has reached, or is about to; each answers when it is there. No view waits for another: only
/// the joint query waits, no longer than its deadline.
class joint_request {
public:
    virtual ~joint_request() = default;

    log_position at_least = 0;
    steady_time deadline = steady_time::max();

    struct part {
        std::type_index view;
        std::type_index query;
    };
    [[nodiscard]] virtual std::span<const part> parts() const noexcept = 0;
    /// Part `index` is answered from this value. Once for each part; different parts on different
    /// threads. Catches what the host's code throws.
    virtual void answer_part(std::size_t index, const void* view_state,
                             log_position position) noexcept = 0;
    /// All parts are answered, at this position.
    virtual void finish(log_position position) noexcept = 0;
    virtual void fail(error why) noexcept = 0;
    [[nodiscard]] virtual bool answered_already() const noexcept = 0;
};

/// What `runtime::ask_together` answers: one outcome for each query, in order.
template <class... Qs>
using joint_answer = std::tuple<outcome<answer_of<typename Qs::view, Qs>>...>;

/// Queries that name their views, asked together.
template <class... Qs>
class typed_joint final : public reply_state<joint_answer<Qs...>>, public joint_request {
public:
    static constexpr bool held_by_futures = true;

    explicit typed_joint(Qs... queries) : queries_(std::move(queries)...) {}

    [[nodiscard]] std::span<const part> parts() const noexcept override { return parts_; }
    void answer_part(std::size_t index, const void* view_state,
                     log_position position) noexcept override {
        answer_if(index, view_state, position, std::index_sequence_for<Qs...>());
    }
    void finish(log_position position) noexcept override {
        finish_with(position, std::index_sequence_for<Qs...>());
    }
    void fail(error why) noexcept override { this->complete(std::move(why)); }
    [[nodiscard]] bool answered_already() const noexcept override { return this->answered(); }

private:
    template <class Q>
    using slot = std::optional<outcome<answer_of<typename Q::view, Q>>>;

    template <std::size_t... I>
    void answer_if(std::size_t index, const void* state, log_position position,
                   std::index_sequence<I...>) noexcept {
        static_cast<void>(((I == index && (answer_one<I>(state, position), true)) || ...));
    }
    template <std::size_t I>
    void answer_one(const void* state, log_position position) noexcept {
        using query = std::tuple_element_t<I, std::tuple<Qs...>>;
        auto& to = std::get<I>(answers_);
        try {
            to.emplace(
                answer(*static_cast<const typename query::view*>(state), std::get<I>(queries_)));
        } catch (...) {
            to.emplace(error_of_current_exception("answer"));
        }
        static_cast<void>(std::move(*to).reflecting(position));
    }
    template <std::size_t... I>
    void finish_with(log_position position, std::index_sequence<I...>) noexcept {
        try {
            outcome<joint_answer<Qs...>> all(
                joint_answer<Qs...>(*std::move(std::get<I>(answers_))...));
            this->complete(std::move(all).reflecting(position));
        } catch (...) { // moving the host's answers
            this->complete(error_of_current_exception("answer"));
        }
    }

    std::tuple<Qs...> queries_;
    std::tuple<slot<Qs>...> answers_;
    std::array<part, sizeof...(Qs)> parts_{part{typeid(typename Qs::view), typeid(Qs)}...};
};

} // namespace annals
