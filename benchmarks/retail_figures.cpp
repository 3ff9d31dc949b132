#include "figures.hpp"
#include "program.hpp"
#include "raw_lmdb.hpp"
#include "scratch.hpp"
#include "text.hpp"
#include "timing.hpp"

#include <nlohmann/json.hpp>

namespace bench {

figure online_retail(const setting& how) {
    figure made{.name = "online_retail", .unit = "rows/s", .baseline = "raw_log_append"};
    if (how.retail_csv.empty() || !std::filesystem::exists(how.retail_csv)) {
        made.notes = "skipped: name the file with --retail FILE.csv";
        return made;
    }
    if (!std::filesystem::exists(how.online_retail)) {
        made.notes = "skipped: the example program is not built; name it with --online-retail";
        return made;
    }
    raw_limit limit(how);
    limit.sample();
    std::vector<double> rates;
    double rows = 0;
    for (int round = 0; round != 2; ++round) {
        const scratch place(how.directory, "retail");
        const auto report = nlohmann::json::parse(
            output_of({how.online_retail.string(), "--db", (place.path() / "store").string(),
                       "--input", how.retail_csv.string(), "--json"}));
        rows = report.at("rows").get<double>();
        rates.push_back(rows / report.at("seconds").get<double>());
        limit.sample();
    }
    made.value = median(rates);
    made.baseline_value = limit.events_per_second();
    made.goals = {how.at_least(">= 200,000/s", *made.value, 200'000)};
    made.notes = text("example program of its own, durable, ", grouped(rows), " rows of ",
                      how.retail_csv.filename().string(),
                      " into an empty store, through to the report of its views; twice (",
                      grouped(rates[0]), ", ", grouped(rates[1]), ")");
    return made;
}

} // namespace bench
