#pragma once

#include "setting.hpp"

#include <array>
#include <string_view>

namespace bench {

// raw_figures.cpp
figure raw_log_append(const setting& how);
figure raw_commit_latency(const setting& how);
// journal_figures.cpp
figure journal_append(const setting& how);
// command_figures.cpp
figure commands_many(const setting& how);
figure commands_hot(const setting& how);
figure command_latency(const setting& how);
// read_figures.cpp
figure rehydrate_100(const setting& how);
figure query_latency(const setting& how);
figure catch_up(const setting& how);
figure view_read(const setting& how);
// projection_figures.cpp
figure catch_up_many(const setting& how);
figure stored_view(const setting& how);
figure publish_lag(const setting& how);
figure live_query_updates(const setting& how);
figure stopped_projection(const setting& how);
// reaction_figures.cpp
figure reaction_commands(const setting& how);
// memory_figures.cpp
figure idle_aggregate(const setting& how);
// retail_figures.cpp
figure online_retail(const setting& how);

struct figure_entry {
    std::string_view name;
    figure (*measure)(const setting&);
};

/// In the order in which they are measured and shown.
inline constexpr std::array<figure_entry, 18> all_figures{{
    {"raw_log_append", raw_log_append},
    {"raw_commit_latency", raw_commit_latency},
    {"journal_append", journal_append},
    {"commands_many", commands_many},
    {"commands_hot", commands_hot},
    {"command_latency", command_latency},
    {"rehydrate_100", rehydrate_100},
    {"query_latency", query_latency},
    {"view_read", view_read},
    {"catch_up", catch_up},
    {"catch_up_many", catch_up_many},
    {"stored_view", stored_view},
    {"publish_lag", publish_lag},
    {"live_query", live_query_updates},
    {"stopped_projection", stopped_projection},
    {"reaction_commands", reaction_commands},
    {"idle_aggregate", idle_aggregate},
    {"online_retail", online_retail},
}};

} // namespace bench
