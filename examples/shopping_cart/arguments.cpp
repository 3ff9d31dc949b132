#include "arguments.hpp"

#include "plain_words.hpp"
#include "price.hpp"

#include <memory>

namespace shop {

namespace {

/// Every line shows a whole call, with the store and the cart.
class whole_calls : public CLI::Formatter {
public:
    std::string make_usage(const CLI::App* of, std::string) const override {
        const std::string program = "shopping_cart --db DIR ";
        const std::string& name = of->get_name();
        const std::string calls[]{"CART add SKU QTY --price PRICE", "CART remove SKU QTY",
                                  "CART show [--version N | --at TIME]", "CART history", "list"};
        std::string usage = "Usage:\n";
        for (const std::string& call : calls)
            if (of->get_parent() == nullptr || call.find(name) != std::string::npos)
                usage += "  " + program + call + '\n';
        return usage;
    }
};

std::string check_count(const std::string& text) {
    std::string why;
    (void)read_count(text, why);
    return why;
}

std::string check_price(const std::string& text) {
    return read_price(text) ? "" : "\"" + text + "\" is not a price like 1.99";
}

std::string check_time(const std::string& text) {
    return annals::parse_timestamp(text)
               ? ""
               : "\"" + text + "\" is not a time like 2010-12-01T08:26:00Z";
}

/// The domain says which quantities a cart takes; here it only has to be a number.
int read_quantity(const std::string& text) {
    int quantity = 0;
    if (!CLI::detail::lexical_cast(text, quantity) ||
        text.find_first_not_of("-0123456789") != std::string::npos)
        throw CLI::ValidationError("QTY", "\"" + text + "\" is not a whole number of items");
    return quantity;
}

} // namespace

command_line::command_line() {
    app_.formatter(std::make_shared<whole_calls>());
    app_.name("shopping_cart");
    app_.add_option("--db", asked_.db, "Directory in which the carts are kept")->required();
    app_.add_option("--wait", wait_seconds_, "Seconds to wait for another program that uses it")
        ->type_name("SECONDS")
        ->check(CLI::Range(0.0, 3'600.0))
        ->capture_default_str();
    app_.add_option("CART", asked_.cart, "Name of the cart, for all but list");
    app_.require_subcommand(1);
    app_.fallthrough();
    add_subcommands();
}

void command_line::add_subcommands() {
    CLI::App* add = app_.add_subcommand("add", "Put items into the cart");
    add->add_option("SKU", asked_.sku, "Name of the article")->required();
    add->add_option("QTY", quantity_, "How many")->required();
    add->add_option("--price", asked_.price, "Of one, like 1.99")->required()->check(check_price);
    CLI::App* remove = app_.add_subcommand("remove", "Take items out of the cart");
    remove->add_option("SKU", asked_.sku, "Name of the article")->required();
    remove->add_option("QTY", quantity_, "How many")->required();
    CLI::App* show = app_.add_subcommand("show", "Print the cart, as it is or was");
    auto* version = show->add_option("--version", version_, "As it was after so many changes")
                        ->check(check_count);
    show->add_option("--at", asked_.at, "As it was at this time (UTC)")
        ->check(check_time)
        ->excludes(version);
    app_.add_subcommand("history", "Print what happened to the cart");
    app_.add_subcommand("list", "Print all carts");
}

void command_line::parse(int argc, char** argv) {
    app_.parse(argc, argv);
    const bool one_cart = !wants("list");
    if (!one_cart && app_.count("CART") != 0)
        throw CLI::ValidationError("CART", "list prints all carts and takes no name");
    if (one_cart && app_.count("CART") == 0)
        throw CLI::ValidationError("CART", "is needed for all but list");
    if (const std::string why = why_no_name(asked_.cart); one_cart && !why.empty())
        throw CLI::ValidationError("CART", why);
    if (wants("add") || wants("remove")) {
        if (const std::string why = why_no_name(asked_.sku); !why.empty())
            throw CLI::ValidationError("SKU", why);
        asked_.quantity = read_quantity(quantity_);
    }
    if (std::string why; !version_.empty())
        asked_.version = read_count(version_, why);
    asked_.wait = std::chrono::milliseconds(static_cast<long long>(wait_seconds_ * 1'000));
}

} // namespace shop
