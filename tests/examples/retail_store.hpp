#pragma once

#include "examples/child_process.hpp"
#include "support/places.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

/// A store of the online_retail program, and what goes in there.
namespace annals::test {

inline const std::string sample_path =
    (source_directory() / "examples/online_retail/sample/online_retail_sample.csv").string();
inline const std::string header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,"
                                  "CustomerID,Country\n";

inline std::string sample_text() {
    std::ostringstream text;
    text << std::ifstream(sample_path, std::ios::binary).rdbuf();
    return text.str();
}

/// The first `count` rows of the sample, with its header, as text. No row of it spans two lines.
inline std::string first_rows(const std::string& text, std::size_t count) {
    std::size_t end = 0;
    for (std::size_t i = 0; i != count + 1; ++i)
        end = text.find('\n', end) + 1;
    return text.substr(0, end);
}

class retail_store {
public:
    [[nodiscard]] std::vector<std::string> command(const std::string& input,
                                                   std::vector<std::string> more = {}) const {
        std::vector<std::string> all{example_program("online_retail"),       "--json",  "--db",
                                     (directory_.path() / "store").string(), "--input", input};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    [[nodiscard]] ended_program import(const std::string& input,
                                       std::vector<std::string> more = {}) const {
        return run_program(command(input, std::move(more)));
    }
    /// Imports `text` and returns what the program printed.
    [[nodiscard]] ended_program import_text(const std::string& text,
                                            std::vector<std::string> more = {}) const {
        child_process program(command("-", std::move(more)));
        program.write(text);
        return program.wait();
    }

    [[nodiscard]] std::filesystem::path path() const { return directory_.path() / "store"; }

private:
    temporary_directory directory_;
};

inline nlohmann::json printed_by(const ended_program& ended) {
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
    REQUIRE(std::count(ended.out.begin(), ended.out.end(), '\n') == 1);
    return nlohmann::json::parse(ended.out);
}

} // namespace annals::test
