#include "greeting.hpp"

#include <annals/annals.hpp>

#include <iostream>

int main(int, char** argv) {
    auto rt = annals::runtime::open(argv[1], annals::host<guest>, annals::host<guest_book>).value();
    const annals::receipt r = rt.send("ada", greet{"hello"}).get().value();
    std::cout << rt.ask(greetings{}, annals::after(r)).get().value() << '\n';
    return rt.close() ? 0 : 1;
}
