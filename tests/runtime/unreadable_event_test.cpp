#include "support/runtime_verbs.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

/// An event that could be stored but not read again would lock its aggregate for ever.

using namespace annals;
using namespace annals::test;

namespace heap {

struct branch {
    std::vector<branch> below;
    ANNALS_FIELDS(branch, below)
};
struct pile {
    std::size_t elements = 0;
    std::size_t depth = 0;
};
struct piled {
    std::vector<std::uint8_t> elements;
    branch root;
    ANNALS_EVENT(piled, "heap.piled", elements, root)
};
struct heap {
    static constexpr std::string_view name = "heap";
    using command = std::variant<pile>;
    using event = std::variant<piled>;
    using decision = annals::decision<event>;
    std::size_t elements = 0;
};
inline heap::decision decide(const heap&, const pile& command) {
    piled happened;
    happened.elements.resize(command.elements);
    auto* at = &happened.root;
    for (std::size_t i = 0; i != command.depth; ++i)
        at = &at->below.emplace_back();
    return happened;
}
inline void evolve(heap& state, const piled& happened) {
    state.elements += happened.elements.size();
}

} // namespace heap

TEST_CASE("what a host can store it can read again, and the rest is refused") {
    const event_store store;
    const heap::pile fits = GENERATE(heap::pile{1'000'000, 0}, heap::pile{0, 30});
    const heap::pile too_much = GENERATE(heap::pile{1'000'001, 0}, heap::pile{0, 64});
    {
        auto rt = runtime::open(store.settings(), host<heap::heap>).value();
        const auto refused = rt.send("1", too_much).get();
        REQUIRE(refused.is_error());
        CHECK(refused.error().code == errc::too_large);
        CHECK(rt.journal().head() == 0);
        REQUIRE(rt.send("1", fits).get());
    }
    auto rt = runtime::open(store.settings(), host<heap::heap>).value();
    REQUIRE(rt.send("1", heap::pile{1, 0}).get()->version == 2);
}
