#pragma once

#include "annals/request.hpp"

#include <memory>
#include <utility>

namespace annals {

/// A share in the duty to answer a command. When the last share goes and nobody has answered - the
/// actor ended, its mailbox was dropped - the command is answered `aborted`. Without this a waiting
/// future would wait for ever.
class command_ref {
public:
    command_ref() = default;
    explicit command_ref(std::shared_ptr<command_request> request) noexcept
        : request_(std::move(request)) {
        hold();
    }
    command_ref(const command_ref& other) noexcept : request_(other.request_) { hold(); }
    command_ref(command_ref&& other) noexcept = default;
    command_ref& operator=(command_ref other) noexcept {
        std::swap(request_, other.request_);
        return *this;
    }
    ~command_ref();

    /// Hands the share over to the journal, which gives it back when it has completed the request.
    [[nodiscard]] std::shared_ptr<command_request> hand_over() && noexcept {
        return std::move(request_);
    }

    explicit operator bool() const noexcept { return request_ != nullptr; }
    command_request* operator->() const noexcept { return request_.get(); }
    command_request& operator*() const noexcept { return *request_; }
    [[nodiscard]] const std::shared_ptr<command_request>& shared() const noexcept {
        return request_;
    }

private:
    void hold() noexcept {
        if (request_)
            request_->holders_.fetch_add(1, std::memory_order_relaxed);
    }
    std::shared_ptr<command_request> request_;
};

/// The same for a query.
class query_ref {
public:
    query_ref() = default;
    explicit query_ref(std::shared_ptr<query_request> request) noexcept
        : request_(std::move(request)) {
        hold();
    }
    query_ref(const query_ref& other) noexcept : request_(other.request_) { hold(); }
    query_ref(query_ref&& other) noexcept = default;
    query_ref& operator=(query_ref other) noexcept {
        std::swap(request_, other.request_);
        return *this;
    }
    ~query_ref();

    query_request* operator->() const noexcept { return request_.get(); }
    query_request& operator*() const noexcept { return *request_; }
    [[nodiscard]] const std::shared_ptr<query_request>& shared() const noexcept { return request_; }

private:
    void hold() noexcept {
        if (request_)
            request_->holders_.fetch_add(1, std::memory_order_relaxed);
    }
    std::shared_ptr<query_request> request_;
};

} // namespace annals
