#include "admission.hpp"
#include "answering_scope.hpp"
#include "projection_gauge.hpp"
#include "references.hpp"

#include "annals/host.hpp"

namespace annals {

namespace {
thread_local projection_gauge* answers_for = nullptr;
}

answering_scope::answering_scope(projection_gauge& of) noexcept
    : before_(std::exchange(answers_for, &of)) {}

answering_scope::~answering_scope() {
    answers_for = before_;
}

void answering_scope::rows_failed(const std::string& why) {
    if (answers_for != nullptr)
        answers_for->failed_with(why);
}

void query_request::expire() noexcept {
    const log_position reached = gauge_ ? gauge_->position() : 0;
    const std::string where = "view \"" + (gauge_ ? gauge_->name() : std::string("?")) +
                              "\" is at position " + std::to_string(reached);
    if (reached < at_least)
        fail({errc::version_out_of_reach,
              where + " and did not reach " + std::to_string(at_least) +
                  " in time; ask again, or look at its status",
              reached});
    else
        fail({errc::deadline_exceeded,
              where +
                  ", as asked, but other queries and its events kept it busy until the time was "
                  "over; ask again with more time (ask_options::timeout, "
                  "config::answer_threads)"});
}

void query_request::release(bool with_an_error) noexcept {
    if (!admission_)
        return;
    if (deadline_armed_)
        admission_->deadlines.remove(this);
    if (counts_as_waiting_)
        gauge_->queries_waiting.fetch_sub(1, std::memory_order_relaxed);
    if (with_an_error) {
        count(admission_->count.queries_failed);
        if (measured_ != nullptr)
            measured_->failed();
    } else if (gauge_) {
        gauge_->queries.fetch_add(1, std::memory_order_relaxed);
        if (measured_ != nullptr) {
            const steady_time now = clock_->steady();
            measured_->answered(now, now - asked_);
        }
    }
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
    std::string sentence = "the host's " + std::string(where) + " threw: ";
    try {
        throw;
    } catch (const bad_result& e) { // damaged rows, the disk
        answering_scope::rows_failed(sentence + e.error().message);
        return {e.error().code, sentence + e.error().message, e.error().actual};
    } catch (...) {
        return {errc::handler_failed,
                sentence + describe_current_exception() + "; correct the handler, then ask again"};
    }
}

} // namespace annals
