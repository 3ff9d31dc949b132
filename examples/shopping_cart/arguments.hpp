#pragma once

#include <annals/stored_event.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <limits>
#include <string>

namespace shop {

/// The command line, checked: what is in here can be asked of a cart.
struct arguments {
    std::string db;
    std::string cart;
    std::string sku;
    int quantity = 1;
    std::string price;
    annals::stream_version version = std::numeric_limits<annals::stream_version>::max();
    std::string at;
    std::chrono::milliseconds wait = std::chrono::seconds(2); ///< for another program to finish
};

/// The options and subcommands of the program, and what they were when it was called.
class command_line {
public:
    command_line();
    command_line(const command_line&) = delete;
    command_line& operator=(const command_line&) = delete;

    /// Throws `CLI::ParseError`, also for a wish for help.
    void parse(int argc, char** argv);
    /// Prints what `parse` threw; 0 if that was help.
    [[nodiscard]] int explain(const CLI::ParseError& why) { return app_.exit(why); }

    [[nodiscard]] const arguments& asked() const noexcept { return asked_; }
    [[nodiscard]] bool wants(const std::string& subcommand) const {
        return app_.got_subcommand(subcommand);
    }

private:
    void add_subcommands();

    CLI::App app_{"A shopping cart that remembers everything that happened to it."};
    arguments asked_;
    std::string quantity_;
    std::string version_;
    double wait_seconds_ = 2;
};

} // namespace shop
