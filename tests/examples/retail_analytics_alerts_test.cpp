#include "retail_analytics/alert_file.hpp"
#include "retail_analytics/big_order_alerts.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

/// The reaction of the retail_analytics example: what is delivered twice is told once.

using namespace annals::test;
using namespace retail::analytics;
using namespace std::chrono_literals;

namespace {

std::string text_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

retail::invoice_line line(std::int64_t quantity, retail::thousandths price) {
    return {"22423", "CAKESTAND", quantity,
            price,   "EIRE",      std::chrono::sys_days(2010y / 12 / 1) + 8h,
            1};
}

annals::delivery delivery_of(std::string_view name, std::string_view customer) {
    annals::delivery about;
    about.id = customer;
    about.event_id = annals::uuid::of_name(name);
    return about;
}

const std::string first_id = annals::uuid::of_name("first").to_string();
const std::string second_id = annals::uuid::of_name("second").to_string();

} // namespace

TEST_CASE("an alert tells of what is worth enough, sold or returned") {
    const temporary_directory directory;
    alert_file file(directory.path() / "alerts.txt");
    big_order_alerts alerts{&file, 1'000'000};
    CHECK(react(alerts, retail::item_added{line(1'200, 1'000)}, delivery_of("first", "17850")));
    CHECK(react(alerts, retail::item_added{line(999, 1'000)}, delivery_of("small", "17850")));
    CHECK(
        react(alerts, retail::item_removed{line(1, 1'000'000)}, delivery_of("second", "guest-5")));
    CHECK(file.count() == 2);
    CHECK(text_of(directory.path() / "alerts.txt") ==
          "2010-12-01 17850: sold 1,200 x 22423 for £1,200.000 [" + first_id +
              "]\n2010-12-01 guest-5: returned 1 x 22423 for £1,000.000 [" + second_id + "]\n");
}

TEST_CASE("what is delivered again is told once, also by the next process") {
    const temporary_directory directory;
    const auto path = directory.path() / "alerts.txt";
    for (int process = 0; process != 3; ++process) {
        alert_file file(path);
        big_order_alerts alerts{&file, 1};
        for (int delivery = 0; delivery != 2; ++delivery) {
            annals::delivery about = delivery_of("first", "17850");
            about.redelivered = process + delivery != 0;
            CHECK(react(alerts, retail::item_added{line(1, 1)}, about));
        }
        CHECK(file.count() == 1);
    }
    const std::string text = text_of(path);
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

TEST_CASE("an alert that a crash cut off is told again in full") {
    const temporary_directory directory;
    const auto path = directory.path() / "alerts.txt";
    std::ofstream(path) << "whole [" << first_id << "]\ncut off [" << second_id.substr(0, 20);
    alert_file file(path);
    CHECK(file.count() == 1);
    CHECK(text_of(path) == "whole [" + first_id + "]\n");
    CHECK(file.append(annals::uuid::of_name("first"), "whole"));
    CHECK(file.append(annals::uuid::of_name("second"), "cut off"));
    CHECK(text_of(path) == "whole [" + first_id + "]\ncut off [" + second_id + "]\n");
}

TEST_CASE("a file of alerts that cannot be opened, or is in use, is an error") {
    CHECK_THROWS_AS(alert_file("/no/such/directory/alerts.txt"), std::system_error);
    const temporary_directory directory;
    const alert_file first(directory.path() / "alerts.txt");
    CHECK_THROWS_AS(alert_file(directory.path() / "alerts.txt"), std::system_error);
}
