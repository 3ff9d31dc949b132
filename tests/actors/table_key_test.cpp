#include "annals/event.hpp"
#include "annals/seams.hpp"
#include "annals/table_key.hpp"

#include "support/seed.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <limits>
#include <random>

using namespace annals;

namespace {

enum class priority : std::int8_t { low = -1, normal = 0, high = 1 };

struct place_and_time {
    std::string place;
    std::chrono::sys_days day;
    ANNALS_FIELDS(place_and_time, place, day)
    friend auto operator<=>(const place_and_time&, const place_and_time&) = default;
    friend bool operator==(const place_and_time&, const place_and_time&) = default;
};

template <class K>
row_key encoded(const K& key) {
    row_key made;
    table_key<K>::encode(made, key);
    return made;
}

bool less(const row_key& a, const row_key& b) {
    const auto x = a.view();
    const auto y = b.view();
    return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
}

/// Few characters, so that texts share beginnings; zero and the highest byte among them.
std::string any_text(std::mt19937_64& chance) {
    static constexpr std::string_view letters("\0\x01"
                                              "ab\xFE\xFF",
                                              6);
    std::string text;
    for (auto left = chance() % 6; left > 0; --left)
        text.push_back(letters[chance() % letters.size()]);
    return text;
}

template <class Integer>
Integer any_integer(std::mt19937_64& chance) {
    using limits = std::numeric_limits<Integer>;
    switch (chance() % 5) {
    case 0:
        return limits::min();
    case 1:
        return limits::max();
    case 2:
        return static_cast<Integer>(chance() % 5);
    case 3:
        return static_cast<Integer>(0 - chance() % 5);
    default:
        return static_cast<Integer>(chance());
    }
}

double any_double(std::mt19937_64& chance) {
    static constexpr double special[] = {0.0,
                                         -0.0,
                                         1.5,
                                         -1.5,
                                         std::numeric_limits<double>::infinity(),
                                         -std::numeric_limits<double>::infinity(),
                                         std::numeric_limits<double>::denorm_min(),
                                         std::numeric_limits<double>::max()};
    if (chance() % 3 == 0)
        return special[chance() % std::size(special)];
    const auto made = std::bit_cast<double>(chance());
    return std::isnan(made) ? 0.25 : made;
}

/// Keys are ordered as their bytes are, come back from them, and are not found in what is cut short.
template <class K, class Make>
void check_keys(Make make) {
    const auto seed = test::random_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 chance(seed);
    for (int i = 0; i < 2'000; ++i) {
        const K a = make(chance);
        const K b = make(chance);
        const row_key bytes_a = encoded(a);
        const row_key bytes_b = encoded(b);
        if (less(bytes_a, bytes_b) != std::less<K>{}(a, b) ||
            less(bytes_b, bytes_a) != std::less<K>{}(b, a))
            FAIL("not ordered as their bytes: pair " << i);

        row_key both = bytes_a;
        both.append(bytes_b.view());
        bytes_view rest = both.view();
        K back{};
        const bool first = table_key<K>::decode(rest, back) && back == a;
        const bool second = table_key<K>::decode(rest, back) && back == b && rest.empty();
        if (!first || !second)
            FAIL("does not come back: pair " << i);

        for (std::size_t cut = 0; cut < bytes_a.view().size(); ++cut) {
            bytes_view part = bytes_a.view().first(cut);
            if (table_key<K>::decode(part, back))
                FAIL("found in " << cut << " of its bytes: pair " << i);
        }
    }
}

} // namespace

TEMPLATE_TEST_CASE("integer keys are ordered as their bytes are", "", std::int8_t, std::uint8_t,
                   std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t,
                   std::uint64_t) {
    check_keys<TestType>(any_integer<TestType>);
}

TEST_CASE("other single keys are ordered as their bytes are") {
    check_keys<bool>([](auto& chance) { return chance() % 2 == 0; });
    check_keys<priority>(
        [](auto& chance) { return static_cast<priority>(any_integer<std::int8_t>(chance)); });
    check_keys<std::string>(any_text);
    check_keys<double>(any_double);
    check_keys<float>([](auto& chance) { return static_cast<float>(any_integer<int>(chance)); });
    check_keys<uuid>([](auto& chance) { return uuid::of_name(any_text(chance)); });
    check_keys<timestamp>([](auto& chance) {
        return timestamp(std::chrono::microseconds(any_integer<std::int64_t>(chance)));
    });
    check_keys<std::chrono::sys_days>([](auto& chance) {
        return std::chrono::sys_days(std::chrono::days(any_integer<std::int32_t>(chance)));
    });
    check_keys<std::chrono::milliseconds>(
        [](auto& chance) { return std::chrono::milliseconds(any_integer<std::int64_t>(chance)); });
    check_keys<std::chrono::duration<double>>(
        [](auto& chance) { return std::chrono::duration<double>(any_double(chance)); });
}

TEST_CASE("composite keys are ordered by their parts, the first one first") {
    check_keys<std::pair<std::string, std::uint16_t>>([](auto& chance) {
        return std::pair(any_text(chance), any_integer<std::uint16_t>(chance));
    });
    check_keys<std::tuple<std::string, std::string, bool>>([](auto& chance) {
        return std::tuple(any_text(chance), any_text(chance), chance() % 2 == 0);
    });
    check_keys<place_and_time>([](auto& chance) {
        return place_and_time{any_text(chance), std::chrono::sys_days(std::chrono::days(
                                                    any_integer<std::int8_t>(chance)))};
    });
}

TEST_CASE("texts that begin alike are between a prefix and its end") {
    const auto seed = test::random_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 chance(seed);
    for (int i = 0; i < 5'000; ++i) {
        const std::string prefix = any_text(chance);
        const std::string text = any_text(chance);
        row_key low;
        low.push(std::byte{1});
        detail::encode_text_prefix(low, prefix);
        row_key high = low;
        high.to_end_of_prefix();
        row_key key;
        key.push(std::byte{1});
        table_key<std::string>::encode(key, text);
        const bool inside = !less(key, low) && less(key, high);
        if (inside != text.starts_with(prefix))
            FAIL("pair " << i);
    }
}

TEST_CASE("hostile bytes are no key") {
    const auto is_key = []<class K>(std::initializer_list<unsigned> of, K key) {
        bytes all;
        for (const unsigned one : of)
            all.push_back(static_cast<std::byte>(one));
        bytes_view from(all);
        return table_key<K>::decode(from, key);
    };
    CHECK_FALSE(is_key({2}, false));
    CHECK_FALSE(is_key({}, std::string()));
    CHECK_FALSE(is_key({0}, std::string()));
    CHECK_FALSE(is_key({'a', 0}, std::string()));
    CHECK_FALSE(is_key({'a', 0, 1, 0, 0}, std::string()));
    CHECK_FALSE(is_key({0, 0xFF}, std::string()));
    CHECK_FALSE(is_key({0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, 0.0)); // minus zero
    CHECK_FALSE(is_key({0xFF, 0xF8, 0, 0, 0, 0, 0, 0}, 0.0));                   // not a number
    CHECK(is_key({'a', 0, 0xFF, 0, 0}, std::string()));

    const auto seed = test::random_seed();
    INFO("ANNALS_TEST_SEED=" << seed);
    std::mt19937_64 chance(seed);
    for (int i = 0; i < 20'000; ++i) { // what decodes is the encoding of what it decodes to
        bytes noise(chance() % 24);
        for (auto& one : noise)
            one = static_cast<std::byte>(chance() % 3 == 0 ? chance() : chance() % 2 * 0xFF);
        bytes_view from(noise);
        std::tuple<std::string, double, std::int16_t> key;
        if (!table_key<decltype(key)>::decode(from, key))
            continue;
        const row_key again = encoded(key);
        const auto taken = bytes_view(noise).first(noise.size() - from.size());
        if (!std::ranges::equal(again.view(), taken))
            FAIL("two spellings of one key: round " << i);
    }
}

TEST_CASE("what has no place in the order, or is too long, is refused with what to do") {
    row_key key;
    CHECK_THROWS_AS(table_key<double>::encode(key, std::nan("")), bad_result);

    key.clear();
    try {
        table_key<std::string>::encode(key, std::string(max_row_key_bytes, 'x'));
        FAIL("a key over the limit was taken");
    } catch (const bad_result& e) {
        CHECK(e.error().code == errc::too_large);
        CHECK(e.error().message.find("use a shorter one") != std::string::npos);
    }
    key.clear();
    CHECK_NOTHROW(table_key<std::string>::encode(key, std::string(max_row_key_bytes - 2, 'x')));
}
