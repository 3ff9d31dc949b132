# ISAL::ISAL, Intel's storage library; annals uses its CRC-32C (https://github.com/intel/isa-l).
include(FindPackageHandleStandardArgs)

find_path(ISAL_INCLUDE_DIR isa-l/crc.h)
find_library(ISAL_LIBRARY isal)
mark_as_advanced(ISAL_INCLUDE_DIR ISAL_LIBRARY)

find_package_handle_standard_args(ISAL
    REQUIRED_VARS ISAL_LIBRARY ISAL_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "On Debian: apt-get install libisal-dev")

if(ISAL_FOUND AND NOT TARGET ISAL::ISAL)
    add_library(ISAL::ISAL UNKNOWN IMPORTED)
    set_target_properties(ISAL::ISAL PROPERTIES
        IMPORTED_LOCATION ${ISAL_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${ISAL_INCLUDE_DIR})
endif()
