#pragma once

#include "annals/error.hpp"
#include "annals/uuid.hpp"

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

/// Values to and from msgpack.
///
/// A struct is a map by field name, so that readers may ignore fields they do not know or default
/// fields that are missing; not both at once (annals/event.hpp says why). Everything here is for host types; the wire library stays out of sight.
namespace annals {

using bytes = std::vector<std::byte>;
using bytes_view = std::span<const std::byte>;

/// Bounds checked while parsing, before memory is taken for what the bytes claim to hold. Whatever
/// the limits, a list or map that claims more elements than bytes are left is refused as well.
struct parse_limits {
    std::size_t max_bytes = std::size_t{16} << 20;
    std::size_t max_elements = 1'000'000; ///< of one list or map
    std::size_t max_depth = 64;
};

/// A value that no parser with default limits would read again.
class unreadable_value : public std::length_error {
public:
    using std::length_error::length_error;
};

/// Writes msgpack at the end of a buffer. Not thread-safe; the buffer must outlive it.
///
/// What is written can be read again: lists, maps and depths beyond the default `parse_limits` throw
/// `unreadable_value`. The runtime answers a command that decides such an event with `too_large`.
class encoder {
public:
    explicit encoder(bytes& out) noexcept : out_(&out) {}

    void nil();
    void boolean(bool value);
    void integer(std::int64_t value);
    void natural(std::uint64_t value);
    void real(float value);
    void real(double value);
    void text(std::string_view value);
    void binary(bytes_view value);
    /// Announces `count` values that follow.
    void list(std::size_t count);
    /// Announces `count` pairs of key and value that follow.
    void map(std::size_t count);

private:
    void open_container(std::size_t elements, std::size_t values);
    void value_written() noexcept;

    bytes* out_;
    std::size_t depth_ = 0;
    /// Values still to come in each open list or map.
    std::array<std::size_t, parse_limits{}.max_depth> missing_;
};

/// What a decoded value is on the wire.
enum class node_kind : std::uint8_t {
    nil,
    boolean,
    integer,
    real,
    text,
    binary,
    list,
    map,
    extension
};

[[nodiscard]] std::string_view to_string(node_kind kind) noexcept;

/// One value inside a parsed payload. A view: valid while its `payload_parser` is neither used again
/// nor destroyed, and while the parsed bytes live.
class node {
public:
    node() = default;
    explicit node(const void* object) noexcept : object_(object) {}

    [[nodiscard]] node_kind kind() const noexcept;

    /// Each returns false, leaving `out` alone, if the value is of another kind or out of range.
    [[nodiscard]] bool get(bool& out) const noexcept;
    [[nodiscard]] bool get(std::int64_t& out) const noexcept;
    [[nodiscard]] bool get(std::uint64_t& out) const noexcept;
    [[nodiscard]] bool get(double& out) const noexcept; ///< accepts integers too
    [[nodiscard]] bool get(std::string_view& out) const noexcept;
    [[nodiscard]] bool get(bytes_view& out) const noexcept;

    /// Number of elements of a list or pairs of a map; 0 for every other kind.
    [[nodiscard]] std::size_t size() const noexcept;
    /// Element of a list. Precondition: kind() == list and index < size().
    [[nodiscard]] node at(std::size_t index) const noexcept;
    /// Key and value of a pair. Precondition: kind() == map and index < size().
    [[nodiscard]] node key_at(std::size_t index) const noexcept;
    [[nodiscard]] node value_at(std::size_t index) const noexcept;

private:
    friend const struct payload_slot& slot_of(const node&) noexcept;
    const void* object_ = nullptr;
};

/// Parses one msgpack value and keeps its memory for the next. Not thread-safe.
class payload_parser {
public:
    payload_parser();
    ~payload_parser();
    payload_parser(payload_parser&&) noexcept;
    payload_parser& operator=(payload_parser&&) noexcept;

    /// The one value that `payload` holds. `errc::undecodable` if it is malformed, truncated, over
    /// a limit, or followed by further bytes.
    [[nodiscard]] result<node> parse(bytes_view payload, const parse_limits& limits = {});

private:
    class memory;
    std::unique_ptr<memory> memory_;
};

/// This thread's parser, for callers that parse and decode in one go and then let it go. A decoder
/// that parses something else meanwhile gets a new one.
class borrowed_parser {
public:
    borrowed_parser();
    ~borrowed_parser();
    borrowed_parser(const borrowed_parser&) = delete;
    borrowed_parser& operator=(const borrowed_parser&) = delete;

    [[nodiscard]] payload_parser* operator->() const noexcept { return parser_; }

private:
    std::unique_ptr<payload_parser> own_; ///< only if this thread's parser is lent already
    payload_parser* parser_;
};

/// Why decoding stopped, with the path to the value: "lines[3].quantity: expected integer, found
/// text". Built from the inside out while decoders return false.
class decode_error {
public:
    /// Records the reason and returns false, so that a decoder can end with `return why.fail(...)`.
    bool fail(std::string reason);
    bool expected(std::string_view what, const node& found);
    /// Put the step from the enclosing value before the path.
    void within_field(std::string_view name);
    void within_element(std::size_t index);
    [[nodiscard]] std::string message() const;

private:
    std::string path_;
    std::string reason_;
};

/// How values of type T look on the wire. Specialise it for types that the library does not know:
///
///     template <> struct annals::codec<money> {
///         static void encode(encoder& to, const money& value) { to.integer(value.cents); }
///         static bool decode(const node& from, money& value, decode_error& why);
///     };
template <class T>
struct codec;

namespace detail {
/// False for every T; compilers print it, and so the type, when a static_assert with it fails.
template <class T>
inline constexpr bool no_codec_for = false;
} // namespace detail

/// A type that names its fields with `ANNALS_FIELDS` or `ANNALS_EVENT` (annals/event.hpp).
template <class T>
concept described = requires {
    typename std::remove_cvref_t<T>::annals_described;
};

/// A field that was stored under another name; see ANNALS_RENAMED_FIELDS.
struct renamed_field {
    std::string_view then;
    std::string_view now;
};

template <class T>
void encode(encoder& to, const T& value) {
    codec<T>::encode(to, value);
}

template <class T>
[[nodiscard]] bool decode(const node& from, T& value, decode_error& why) {
    return codec<T>::decode(from, value, why);
}

/// `value` as msgpack bytes.
template <class T>
[[nodiscard]] bytes to_bytes(const T& value) {
    bytes out;
    encoder to(out);
    encode(to, value);
    return out;
}

/// The T that `payload` holds, or `errc::undecodable`. T must be default-constructible.
template <class T>
[[nodiscard]] result<T> from_bytes(bytes_view payload, const parse_limits& limits = {}) {
    const borrowed_parser parser;
    const auto parsed = parser->parse(payload, limits);
    if (!parsed)
        return parsed.error();
    T value{};
    decode_error why;
    if (!decode(*parsed, value, why))
        return error{errc::undecodable, why.message()};
    return value;
}

} // namespace annals

#include "annals/codec_types.hpp"
