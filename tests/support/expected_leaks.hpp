#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ANNALS_TEST_CHECKS_LEAKS
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ANNALS_TEST_CHECKS_LEAKS
#endif

#ifdef ANNALS_TEST_CHECKS_LEAKS
#include <sanitizer/lsan_interface.h>
#endif

namespace annals::test {

/// While one lives, what this thread allocates may leak without the sanitizer's complaint. For simulated
/// processes that die: what would have ended their coroutines is never called, and what those hold is
/// freed only with a real process.
class expected_leaks {
public:
#ifdef ANNALS_TEST_CHECKS_LEAKS
    expected_leaks() {
        __lsan_disable();
    }
    ~expected_leaks() {
        __lsan_enable();
    }
#else
    expected_leaks() {}
    ~expected_leaks() {}
#endif
    expected_leaks(const expected_leaks&) = delete;
    expected_leaks& operator=(const expected_leaks&) = delete;
};

} // namespace annals::test
