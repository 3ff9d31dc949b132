# cmake -D CXX=... -D PROJECT_DIR=... -D SOURCE=... -P expect_compile_error.cmake
#
# Compiles SOURCE and compares the outcome with what its first line expects (see CMakeLists.txt).

file(STRINGS ${SOURCE} head LIMIT_COUNT 2)
list(POP_FRONT head first second)
cmake_path(GET SOURCE FILENAME name)

set(rooms persistence actors runtime)
if(second MATCHES "^// rooms: (.+)$")
    string(REPLACE " " ";" rooms ${CMAKE_MATCH_1})
endif()
set(includes "")
foreach(room ${rooms})
    list(APPEND includes -I${PROJECT_DIR}/${room}/include)
endforeach()

set(ENV{LC_ALL} C) # The compiler's own words, in ASCII quotes.
execute_process(
    COMMAND ${CXX} -std=c++20 -Wall -Wextra -Werror -fsyntax-only ${includes} ${SOURCE}
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output
    RESULT_VARIABLE result)

if(first STREQUAL "// expect-success")
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "${name} should compile, but:\n${output}")
    endif()
elseif(first MATCHES "^// expect: (.+)$")
    set(expected "${CMAKE_MATCH_1}")
    if(result EQUAL 0)
        message(FATAL_ERROR "${name} compiles, but should be refused with: ${expected}")
    elseif(NOT output MATCHES "${expected}")
        message(FATAL_ERROR "${name} is refused, but not with: ${expected}\nThe compiler says:\n${output}")
    endif()
else()
    message(FATAL_ERROR "${name} must start with `// expect: <regex>` or `// expect-success`")
endif()
