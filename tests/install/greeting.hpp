#pragma once

#include <annals/domain.hpp>

#include <string>

struct greet {
    std::string words;
};
struct greeted {
    std::string words;
    ANNALS_EVENT(greeted, "guest.greeted", words)
};
struct guest {
    static constexpr std::string_view name = "guest";
    using command = std::variant<greet>;
    using event = std::variant<greeted>;
    using decision = annals::decision<event>;
    bool was_here = false;
};
inline guest::decision decide(const guest&, const greet& command) {
    return greeted{command.words};
}
inline guest evolve(guest, const greeted&) {
    return {true};
}

struct guest_book;
struct greetings {
    using view = guest_book;
};
struct guest_book {
    static constexpr std::string_view name = "guest_book";
    using query = std::variant<greetings>;
    using event = std::variant<greeted>;
    int count = 0;
};
inline guest_book evolve(guest_book book, const greeted&) {
    return {book.count + 1};
}
inline int answer(const guest_book& book, const greetings&) {
    return book.count;
}
