# CAF::core, the C++ Actor Framework (https://actor-framework.org). Its I/O module is left out on
# purpose: loading it opens a port that asks nobody for a password.
include(FindPackageHandleStandardArgs)

find_path(CAF_INCLUDE_DIR caf/actor_system.hpp)
find_library(CAF_CORE_LIBRARY caf_core)
mark_as_advanced(CAF_INCLUDE_DIR CAF_CORE_LIBRARY)

if(CAF_INCLUDE_DIR)
    # CAF_VERSION is major * 10000 + minor * 100 + patch; 1706 is 0.17.6.
    file(STRINGS ${CAF_INCLUDE_DIR}/caf/config.hpp line REGEX "^#define CAF_VERSION[ \t]+[0-9]+$")
    string(REGEX MATCH "[0-9]+$" number "${line}")
    if(number)
        math(EXPR major "${number} / 10000")
        math(EXPR minor "${number} / 100 % 100")
        math(EXPR patch "${number} % 100")
        set(CAF_VERSION ${major}.${minor}.${patch})
    endif()
endif()

find_package_handle_standard_args(CAF
    REQUIRED_VARS CAF_CORE_LIBRARY CAF_INCLUDE_DIR
    VERSION_VAR CAF_VERSION
    HANDLE_VERSION_RANGE
    REASON_FAILURE_MESSAGE "On Debian: apt-get install libcaf-dev")

if(CAF_FOUND AND NOT TARGET CAF::core)
    find_package(Threads REQUIRED)
    add_library(CAF::core UNKNOWN IMPORTED)
    set_target_properties(CAF::core PROPERTIES
        IMPORTED_LOCATION ${CAF_CORE_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${CAF_INCLUDE_DIR}
        INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()
