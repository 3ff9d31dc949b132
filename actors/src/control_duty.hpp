#pragma once

#include "annals/request.hpp"

#include <memory>
#include <utility>

namespace annals {

/// The duty to answer a control request: dropped without an answer - the actor ended - it is `aborted`.
class control_duty {
public:
    /// `counted` says for as long as it lives that this is not done.
    explicit control_duty(std::shared_ptr<control_request> of,
                          std::shared_ptr<void> counted = nullptr)
        : counted_(std::move(counted)),
          request_(std::move(of)) {}
    control_duty(const control_duty&) = delete;
    control_duty& operator=(const control_duty&) = delete;
    ~control_duty() {
        request_->complete(error{errc::aborted,
                                 "the runtime stopped before this was done; open the "
                                 "store again and look at the projection's status"});
    }
    control_request* operator->() const noexcept { return request_.get(); }

private:
    const std::shared_ptr<void> counted_;
    std::shared_ptr<control_request> request_;
};

} // namespace annals
