# cmake -D BUILD_DIR=... -D HOST_DIR=... -D SCRATCH_DIR=... -D GENERATOR=... -D CXX=...
#       -D CXX_FLAGS=... -P use_installed_package.cmake
#
# Installs annals into a fresh prefix, builds a host application against it, runs that and compares
# its answer.

set(prefix ${SCRATCH_DIR}/prefix)
set(host_build ${SCRATCH_DIR}/host)

function(run)
    execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${SCRATCH_DIR})
execute_process(
    COMMAND ${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${prefix}
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
run(${CMAKE_COMMAND} -S ${HOST_DIR} -B ${host_build} -G ${GENERATOR}
    -D CMAKE_PREFIX_PATH=${prefix}
    -D CMAKE_FIND_USE_PACKAGE_REGISTRY=OFF
    -D CMAKE_CXX_COMPILER=${CXX}
    -D CMAKE_CXX_FLAGS=${CXX_FLAGS})
run(${CMAKE_COMMAND} --build ${host_build})
execute_process(
    COMMAND ${host_build}/host ${SCRATCH_DIR}/guests.db
    OUTPUT_VARIABLE greetings OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
if(NOT greetings STREQUAL "1")
    message(FATAL_ERROR "The guest book should count 1 greeting; the host printed: ${greetings}")
endif()
