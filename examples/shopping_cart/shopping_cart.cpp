// A shopping cart on the command line. Every call opens the store, does one thing and closes it:
// what lasts between two calls is the log.

#include "cart.hpp"
#include "cart_list.hpp"
#include "price.hpp"

#include <annals/annals.hpp>

#include <CLI/CLI.hpp>

#include <iostream>
#include <limits>
#include <stdexcept>
#include <string>

namespace {

enum exit_code { done = 0, failed = 1, wrong_usage = 2, refused = 3 };

struct arguments {
    std::string db;
    std::string cart;
    std::string sku;
    int quantity = 1;
    std::string price;
    annals::stream_version version = std::numeric_limits<annals::stream_version>::max();
    std::string at;
};

annals::runtime open(const arguments& asked, bool create) {
    annals::config with;
    with.directory = asked.db;
    with.store.create = create;
    return annals::runtime::open(std::move(with), annals::host<shop::cart>,
                                 annals::host<shop::cart_list>)
        .value();
}

/// Sends one command; what it stored is on disk when this returns.
template <class Command>
int send(const arguments& asked, Command command) {
    annals::runtime rt = open(asked, true);
    const annals::outcome<annals::receipt> answer = rt.send(asked.cart, std::move(command)).get();
    if (answer.is_rejected()) {
        std::cerr << "refused: " << answer.rejection().message << '\n';
        return refused;
    }
    std::cout << "cart " << asked.cart << " is at version " << answer.value().version << '\n';
    return done;
}

int show(const arguments& asked) {
    annals::timestamp until = annals::timestamp::max();
    if (!asked.at.empty())
        until = annals::parse_timestamp(asked.at).value(); // checked with the arguments
    const annals::runtime rt = open(asked, false);
    const auto cart =
        annals::state_at<shop::cart>(rt.journal(), asked.cart, asked.version, until).value();
    if (!cart)
        throw std::runtime_error("there is no cart " + asked.cart + " (at that version or time)");
    long long total = 0;
    for (const auto& [sku, line] : cart->lines) {
        const long long price = static_cast<long long>(line.quantity) * line.price_pence;
        std::cout << line.quantity << " x " << sku << " at " << shop::price_text(line.price_pence)
                  << " = " << shop::price_text(price) << '\n';
        total += price;
    }
    std::cout << "total " << shop::price_text(total) << '\n';
    return done;
}

int history(const arguments& asked) {
    const annals::runtime rt = open(asked, false);
    const std::string stream = std::string(shop::cart::name) + "-" + asked.cart;
    annals::stream_version next = 1;
    for (bool more = true; more;) {
        const auto page = rt.journal().read_stream(stream, next, 1'000).value();
        for (const annals::stored_event& event : page.events) {
            std::cout << event.version << "  " << annals::to_string(event.time) << "  "
                      << event.type << "  " << annals::payload_as_json(event.payload).value()
                      << '\n';
            next = event.version + 1;
        }
        more = !page.at_end;
    }
    if (next == 1)
        throw std::runtime_error("there is no cart " + asked.cart);
    return done;
}

int list(const arguments& asked) {
    annals::runtime rt = open(asked, false);
    const annals::ask_options everything{rt.journal().head(), {}};
    const auto carts = rt.ask(shop::all_carts{}, everything).get();
    for (const shop::listed_cart& cart : carts.value())
        std::cout << cart.id << "  " << cart.items << " items, changed "
                  << annals::to_string(cart.last_change) << '\n';
    return done;
}

std::string check_price(const std::string& text) {
    return shop::read_price(text) ? "" : "\"" + text + "\" is not a price like 1.99";
}

std::string check_time(const std::string& text) {
    return annals::parse_timestamp(text)
               ? ""
               : "\"" + text + "\" is not a time like 2010-12-01T08:26:00Z";
}

} // namespace

int main(int argc, char** argv) {
    arguments asked;
    CLI::App app("A shopping cart that remembers everything that happened to it.");
    app.add_option("--db", asked.db, "Directory of the store")->required();
    app.add_option("CART", asked.cart, "Name of the cart, for all but list");
    app.require_subcommand(1);
    app.fallthrough();

    CLI::App* add = app.add_subcommand("add", "Put items into the cart");
    add->add_option("SKU", asked.sku)->required();
    add->add_option("QTY", asked.quantity)->required();
    add->add_option("--price", asked.price, "Of one, like 1.99")->required()->check(check_price);
    CLI::App* remove = app.add_subcommand("remove", "Take items out of the cart");
    remove->add_option("SKU", asked.sku)->required();
    remove->add_option("QTY", asked.quantity)->required();
    CLI::App* show_cart = app.add_subcommand("show", "Print the cart, as it is or was");
    auto* version = show_cart->add_option("--version", asked.version, "As it was at this version");
    show_cart->add_option("--at", asked.at, "As it was at this time (UTC)")
        ->check(check_time)
        ->excludes(version);
    CLI::App* print_history = app.add_subcommand("history", "Print what happened to the cart");
    CLI::App* list_carts = app.add_subcommand("list", "Print all carts");

    try {
        app.parse(argc, argv);
        if (list_carts->parsed() != asked.cart.empty())
            throw CLI::ValidationError("CART", "is needed for all but list");
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? done : wrong_usage;
    }
    try {
        if (add->parsed())
            return send(asked, shop::add_item{asked.sku, asked.quantity,
                                              shop::read_price(asked.price).value()});
        if (remove->parsed())
            return send(asked, shop::remove_item{asked.sku, asked.quantity});
        if (show_cart->parsed())
            return show(asked);
        return print_history->parsed() ? history(asked) : list(asked);
    } catch (const std::exception& e) {
        std::cerr << "shopping_cart: " << e.what() << '\n';
        return failed;
    }
}
