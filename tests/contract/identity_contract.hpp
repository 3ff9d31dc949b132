#pragma once

// Part of contract/journal_contract.hpp: which log it is.

#include "annals/journal.hpp"

#include <catch2/catch.hpp>

namespace annals::test {

ANNALS_JOURNAL_PROMISE("a log has an id of its own, for ever") {
    journal_under_test one;
    journal_under_test other;
    auto journal = one.open();
    const auto id = journal->id();
    REQUIRE_FALSE(id.is_nil());
    REQUIRE(other.open()->id() != id);
    journal->close();
    REQUIRE(journal->id() == id);
    if (!journal->capabilities().durable)
        return;
    journal.reset();
    REQUIRE(one.open()->id() == id);
}

} // namespace annals::test
