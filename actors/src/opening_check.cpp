#include "opening_check.hpp"

#include "query_gauge.hpp"

#include <set>
#include <unordered_map>

namespace annals {

namespace {

/// 255 bytes of a stream's name, less the longest category and the '-'.
constexpr std::size_t longest_id = 190;
constexpr std::size_t most_page_events = std::size_t{1} << 20;

} // namespace

result<void> check_limits(const engine_limits& limits) {
    const auto at_least_one = [](std::size_t value, const char* name) -> result<void> {
        if (value > 0)
            return {};
        return error{errc::invalid_argument,
                     std::string("engine_limits::") + name + " must be at least 1"};
    };
    for (const auto& checked :
         {at_least_one(limits.page_events, "page_events"),
          at_least_one(limits.max_resident_aggregates, "max_resident_aggregates"),
          at_least_one(limits.max_commands_in_flight, "max_commands_in_flight"),
          at_least_one(limits.max_commands_waiting_per_aggregate,
                       "max_commands_waiting_per_aggregate"),
          at_least_one(limits.max_queries_in_flight, "max_queries_in_flight"),
          at_least_one(limits.max_waits, "max_waits"),
          at_least_one(limits.max_id_bytes, "max_id_bytes")})
        if (!checked)
            return checked;
    if (limits.page_events > most_page_events)
        return error{errc::invalid_argument,
                     "engine_limits::page_events is at most " + std::to_string(most_page_events)};
    if (limits.max_id_bytes > longest_id)
        return error{errc::invalid_argument, "engine_limits::max_id_bytes is at most " +
                                                 std::to_string(longest_id) +
                                                 ": a stream's name has 255 bytes"};
    return {};
}

namespace {

constexpr std::size_t most_in_flight = 4'096;

/// Options that the projection's kind or type cannot honour.
result<void> check_options(const hosted& what) {
    const projection_options& options = what.options;
    const projection_type& type = *what.projection;
    const auto refuse = [&](std::string_view option, std::string_view why) {
        return error{errc::invalid_argument, "projection_options::" + std::string(option) +
                                                 " of \"" + std::string(type.name()) +
                                                 "\": " + std::string(why)};
    };
    const bool in_memory = type.kind() == projection_kind::view;
    const auto* view = in_memory ? static_cast<const view_type*>(&type) : nullptr;
    if (options.save_every != 0 && !in_memory)
        return refuse("save_every", "only a view in memory saves copies");
    if (options.save_every != 0 && !view->can_save())
        return refuse("save_every", "name the view's fields with ANNALS_FIELDS");
    if (options.own_thread && !in_memory)
        return refuse("own_thread", "stored views and reactions have a thread of their own anyway");
    if (options.partitions == 0 || options.partitions > 64)
        return refuse("partitions", "there are 1 to 64");
    if (options.partitions > 1 && type.kind() != projection_kind::reaction)
        return refuse("partitions", "only a reaction has more than one");
    if (options.max_in_flight == 0 || options.max_in_flight > most_in_flight)
        return refuse("max_in_flight", "there are 1 to 4,096");
    if (options.on_failure.first_delay.count() < 0 || options.on_failure.longest_delay.count() < 0)
        return refuse("on_failure", "a delay is not negative");
    return {};
}

/// What the types that were looked at have taken.
struct taken {
    std::set<std::string_view> aggregates;
    std::unordered_map<std::type_index, const aggregate_type*> commands;
    std::set<std::string_view> projections;
    std::set<std::type_index> projection_types;
};

result<void> check_aggregate(const aggregate_type& type, taken& all) {
    if (!all.aggregates.insert(type.name()).second)
        return error{errc::invalid_argument, "two hosted aggregates have the name \"" +
                                                 std::string(type.name()) +
                                                 "\"; rename one of them"};
    for (const std::type_index command : type.commands()) {
        const auto [at, added] = all.commands.try_emplace(command, &type);
        if (!added)
            return error{errc::invalid_argument,
                         "command " + readable_name(command) + " is handled by both \"" +
                             std::string(at->second->name()) + "\" and \"" +
                             std::string(type.name()) + "\"; give each its own command type"};
    }
    return {};
}

result<void> check_projection(const hosted& what, taken& all) {
    const projection_type& type = *what.projection;
    if (!all.projections.insert(type.name()).second)
        return error{errc::invalid_argument, "two hosted projections have the name \"" +
                                                 std::string(type.name()) +
                                                 "\"; rename one of them"};
    if (!all.projection_types.insert(type.type()).second)
        return error{errc::invalid_argument,
                     readable_name(type.type()) + " is hosted twice; host it once"};
    return check_options(what);
}

} // namespace

result<void> check_hosted(std::span<const hosted> types) {
    taken all;
    for (const hosted& one : types) {
        auto checked = one.aggregate != nullptr ? check_aggregate(*one.aggregate, all)
                                                : check_projection(one, all);
        if (!checked)
            return checked;
    }
    return {};
}

} // namespace annals
