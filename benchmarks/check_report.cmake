# Runs `PROGRAM --quick --json` and checks that it is JSON with every figure and every key.
execute_process(
    COMMAND ${PROGRAM} --quick --json --dir ${SCRATCH_DIR} --retail ${RETAIL}
    OUTPUT_VARIABLE report
    COMMAND_ERROR_IS_FATAL ANY)

set(expected
    raw_log_append raw_commit_latency journal_append commands_many commands_hot command_latency
    rehydrate_100 query_latency view_read catch_up catch_up_many stored_view publish_lag live_query
    stopped_projection reaction_commands idle_aggregate online_retail)
set(found)
string(JSON count LENGTH "${report}")
math(EXPR last "${count} - 1")
foreach(i RANGE ${last})
    string(JSON name GET "${report}" ${i} name)
    list(APPEND found ${name})
    foreach(key value unit baseline baseline_value ratio p50_us p99_us goals notes)
        string(JSON ignored GET "${report}" ${i} ${key}) # an error if it is not there
    endforeach()
endforeach()
if(NOT found STREQUAL expected)
    message(FATAL_ERROR "the report holds: ${found}\nexpected: ${expected}")
endif()
