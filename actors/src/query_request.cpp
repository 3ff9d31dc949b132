#include "admission.hpp"
#include "references.hpp"
#include "view_gauge.hpp"

#include "annals/host.hpp"

namespace annals {

void query_request::expire() noexcept {
    const log_position reached = gauge_ ? gauge_->position.load() : 0;
    if (admission_ && !answered_already())
        count(admission_->count.queries_failed);
    fail({errc::version_out_of_reach,
          "view \"" + (gauge_ ? gauge_->name() : std::string("?")) + "\" is at position " +
              std::to_string(reached) + " and did not reach " + std::to_string(at_least) +
              " in time; ask again, or look at its status",
          reached});
}

void query_request::release() noexcept {
    if (!admission_)
        return;
    if (deadline_armed_)
        admission_->deadlines.remove(deadline, this);
    admission_->release_query();
}

query_ref::~query_ref() {
    if (request_ && request_->holders_.fetch_sub(1, std::memory_order_acq_rel) == 1 &&
        !request_->answered_already())
        request_->fail(
            {errc::aborted,
             "the query was dropped while the runtime stopped; ask again after opening the store"});
}

error error_of_current_exception(std::string_view where) {
    return {errc::handler_failed, "the host's " + std::string(where) +
                                      " threw: " + describe_current_exception() +
                                      "; correct the handler, then ask again"};
}

} // namespace annals
