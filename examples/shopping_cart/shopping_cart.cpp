// A shopping cart on the command line. Every call opens the store, does one thing and closes it:
// what lasts between two calls is the log.

#include "arguments.hpp"
#include "cart.hpp"
#include "cart_list.hpp"
#include "plain_words.hpp"
#include "price.hpp"

#include <annals/annals.hpp>

#include <cerrno>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace {

using shop::arguments;

enum exit_code { done = 0, failed = 1, wrong_usage = 2, refused = 3 };

/// Carts of another program have the same names, but their events mean something else.
void refuse_other_events(const annals::journal& log) {
    const auto page = log.read_all(0, 1).value();
    if (page.events.empty())
        return;
    const annals::stored_event& first = page.events.front();
    if (first.type == annals::event_name<shop::item_added>())
        (void)annals::from_bytes<shop::item_added>(first.payload).value();
    else
        throw annals::bad_result({annals::errc::unknown_event, std::string(first.type)});
}

annals::runtime open(const arguments& asked, bool create) {
    annals::config with;
    with.directory = asked.db;
    with.store.create = create;
    with.store.wait_for_lock = asked.wait;
    annals::runtime rt = annals::runtime::open(std::move(with), annals::host<shop::cart>,
                                               annals::host<shop::cart_list>)
                             .value();
    refuse_other_events(rt.journal());
    return rt;
}

/// All that a call prints, at once: either the whole answer or an error.
void print(const std::string& answer) {
    errno = 0;
    std::cout << answer << std::flush;
    if (!std::cout)
        throw std::runtime_error("cannot write the answer: " +
                                 std::generic_category().message(errno));
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
    print("cart " + asked.cart + " is at version " + std::to_string(answer.value().version) + '\n');
    return done;
}

std::string stream_of(const arguments& asked) {
    return std::string(shop::cart::name) + "-" + asked.cart;
}

int show(const arguments& asked) {
    annals::timestamp until = annals::timestamp::max();
    if (!asked.at.empty())
        until = annals::parse_timestamp(asked.at).value(); // checked with the arguments
    const annals::runtime rt = open(asked, false);
    const auto cart =
        annals::state_at<shop::cart>(rt.journal(), asked.cart, asked.version, until).value();
    if (!cart)
        throw std::runtime_error("there is no cart " + asked.cart +
                                 (asked.at.empty() ? "" : " at that time"));
    if (asked.version != arguments().version &&
        rt.journal().read_stream(stream_of(asked), asked.version, 1).value().events.empty())
        throw std::runtime_error("cart " + asked.cart + " has no version " +
                                 std::to_string(asked.version) + " yet");
    long long total = 0;
    std::string answer;
    for (const auto& [sku, line] : cart->lines) {
        const long long price = static_cast<long long>(line.quantity) * line.price_pence;
        answer += std::to_string(line.quantity) + " x " + sku + " at " +
                  shop::price_text(line.price_pence) + " = " + shop::price_text(price) + '\n';
        total += price;
    }
    print(answer + "total " + shop::price_text(total) + '\n');
    return done;
}

int history(const arguments& asked) {
    const annals::runtime rt = open(asked, false);
    std::string answer;
    annals::stream_version next = 1;
    for (bool more = true; more;) {
        const auto page = rt.journal().read_stream(stream_of(asked), next, 1'000).value();
        for (const annals::stored_event& event : page.events) {
            answer += std::to_string(event.version) + "  " + annals::to_string(event.time) + "  " +
                      std::string(event.type) + "  " +
                      annals::payload_as_json(event.payload).value() + '\n';
            next = event.version + 1;
        }
        more = !page.at_end;
    }
    if (next == 1)
        throw std::runtime_error("there is no cart " + asked.cart);
    print(answer);
    return done;
}

int list(const arguments& asked) {
    annals::runtime rt = open(asked, false);
    const auto carts = rt.ask(shop::all_carts{}, annals::latest()).get();
    std::string answer;
    for (const shop::listed_cart& cart : carts.value())
        answer += cart.id + "  " + std::to_string(cart.items) + " items, changed " +
                  annals::to_string(cart.last_change) + '\n';
    print(answer);
    return done;
}

int run(const shop::command_line& line) {
    const arguments& asked = line.asked();
    if (line.wants("add"))
        return send(asked, shop::add_item{asked.sku, asked.quantity,
                                          shop::read_price(asked.price).value()});
    if (line.wants("remove"))
        return send(asked, shop::remove_item{asked.sku, asked.quantity});
    if (line.wants("show"))
        return show(asked);
    return line.wants("history") ? history(asked) : list(asked);
}

} // namespace

int main(int argc, char** argv) {
    shop::command_line line;
    const auto fail = [](const std::string& why) {
        std::cerr << "shopping_cart: " << why << '\n';
        return failed;
    };
    try {
        try {
            line.parse(argc, argv);
        } catch (const CLI::ParseError& e) {
            const bool was_help = line.explain(e) == 0;
            print("");
            return was_help ? done : wrong_usage;
        }
        return run(line);
    } catch (const annals::bad_result& e) {
        return fail(shop::in_plain_words(e.error(), line.asked().db));
    } catch (const std::exception& e) {
        return fail(e.what());
    }
}
