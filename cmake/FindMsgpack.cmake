# Msgpack::headers, the header-only MessagePack library (https://github.com/msgpack/msgpack-c).
# Its own CMake config asks for Boost, which annals does not use.
include(FindPackageHandleStandardArgs)

find_path(Msgpack_INCLUDE_DIR msgpack.hpp)
mark_as_advanced(Msgpack_INCLUDE_DIR)

find_package_handle_standard_args(Msgpack
    REQUIRED_VARS Msgpack_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "On Debian: apt-get install libmsgpack-cxx-dev")

if(Msgpack_FOUND AND NOT TARGET Msgpack::headers)
    add_library(Msgpack::headers INTERFACE IMPORTED)
    set_target_properties(Msgpack::headers PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES ${Msgpack_INCLUDE_DIR}
        INTERFACE_COMPILE_DEFINITIONS "MSGPACK_NO_BOOST;MSGPACK_DEFAULT_API_VERSION=3")
endif()
