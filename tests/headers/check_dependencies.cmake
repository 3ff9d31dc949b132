# cmake -D CXX=... -D PROJECT_DIR=... -D HEADERS="<room>:<header>;..." -P check_dependencies.cmake
#
# Asks the compiler which files each public header reads, and fails if one of them belongs to a
# library that annals keeps to itself. Looking at what is read, not at what is found, makes the
# check hold although these libraries lie in the compiler's default include directory. The headers
# of room `examples` are domains, which see no more of annals than the actors do.

set(private_libraries "/(caf/[^ ]*|lmdb\\.h|msgpack[^ ]*|isa-l[^ ]*|xxhash\\.h|nlohmann/[^ ]*)")

set(includes_persistence -I${PROJECT_DIR}/persistence/include)
set(includes_actors ${includes_persistence} -I${PROJECT_DIR}/actors/include)
set(includes_examples ${includes_actors})
set(includes_runtime ${includes_actors} -I${PROJECT_DIR}/runtime/include)

foreach(entry ${HEADERS})
    string(REGEX MATCH "^([a-z]+):(.+)$" entry ${entry})
    set(room ${CMAKE_MATCH_1})
    set(header ${CMAKE_MATCH_2})
    set(file ${PROJECT_DIR}/${room}/include/${header})
    if(room STREQUAL "examples")
        set(file ${PROJECT_DIR}/examples/${header})
    endif()
    execute_process(
        COMMAND ${CXX} -std=c++20 ${includes_${room}} -M -x c++ ${file}
        OUTPUT_VARIABLE files_read
        ERROR_VARIABLE errors
        RESULT_VARIABLE result)
    if(NOT result EQUAL 0)
        message(SEND_ERROR "${header} does not compile:\n${errors}")
        continue()
    endif()
    string(REPLACE "${PROJECT_DIR}/" "" files_read "${files_read}")
    if(files_read MATCHES "[^ ]*${private_libraries}")
        set(reads "${header} reads ${CMAKE_MATCH_0}")
        if(room STREQUAL "examples")
            message(SEND_ERROR "${reads}. A domain must do without this library: "
                "move the include to the program's other files.")
        else()
            message(SEND_ERROR "${reads}. A public header must do without this library: "
                "move the include to ${room}/src, behind a class defined there.")
        endif()
    endif()
endforeach()
