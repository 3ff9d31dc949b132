#include "report.hpp"

#include "text.hpp"

#include <nlohmann/json.hpp>

#include <iomanip>
#include <sstream>

namespace bench {

namespace {

/// As many digits as a reader can use.
std::string shown(const std::optional<double>& value) {
    if (!value)
        return "-";
    return *value < 100 ? two_digits(*value) : grouped(*value);
}

std::string_view verdict_of(const goal& one) {
    if (!one.met)
        return "not judged";
    return *one.met ? "met" : "MISSED";
}

void write_wrapped(std::ostream& to, const std::string& paragraph) {
    constexpr std::size_t width = 96;
    constexpr std::string_view indent = "      ";
    std::istringstream words(paragraph);
    std::size_t column = 0;
    for (std::string word; words >> word; column += word.size() + 1) {
        if (column == 0 || column + word.size() > width) {
            to << (column == 0 ? "" : "\n") << indent;
            column = 0;
        } else {
            to << ' ';
        }
        to << word;
    }
    to << '\n';
}

nlohmann::json or_null(const std::optional<double>& value) {
    return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

} // namespace

void write_table(std::ostream& to, const std::vector<figure>& figures) {
    to << std::left << std::setw(20) << "figure" << std::right << std::setw(14) << "value"
       << std::left << "  " << std::setw(11) << "unit" << std::right << std::setw(14) << "baseline"
       << std::setw(8) << "ratio" << std::setw(11) << "p50 us" << std::setw(11) << "p99 us" << '\n';
    for (const figure& one : figures) {
        to << std::left << std::setw(20) << one.name << std::right << std::setw(14)
           << shown(one.value) << std::left << "  " << std::setw(11) << one.unit << std::right
           << std::setw(14) << shown(one.baseline_value) << std::setw(8) << shown(one.ratio())
           << std::setw(11) << shown(one.p50_us) << std::setw(11) << shown(one.p99_us) << '\n';
        for (const goal& each : one.goals)
            to << "    goal: " << each.text << ": " << verdict_of(each) << '\n';
        if (!one.baseline.empty())
            to << "    baseline: " << one.baseline << '\n';
        write_wrapped(to, one.notes);
    }
}

void write_json(std::ostream& to, const std::vector<figure>& figures) {
    auto list = nlohmann::json::array();
    for (const figure& one : figures) {
        auto goals = nlohmann::json::array();
        for (const goal& each : one.goals)
            goals.push_back(
                {{"goal", each.text}, {"met", each.met ? nlohmann::json(*each.met) : nullptr}});
        list.push_back({{"name", one.name},
                        {"value", or_null(one.value)},
                        {"unit", one.unit},
                        {"baseline", one.baseline.empty() ? nlohmann::json(nullptr)
                                                          : nlohmann::json(one.baseline)},
                        {"baseline_value", or_null(one.baseline_value)},
                        {"ratio", or_null(one.ratio())},
                        {"p50_us", or_null(one.p50_us)},
                        {"p99_us", or_null(one.p99_us)},
                        {"goals", std::move(goals)},
                        {"notes", one.notes}});
    }
    to << list.dump(2) << '\n';
}

} // namespace bench
