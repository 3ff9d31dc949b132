#include "codec/payload_slot.hpp"

#include "annals/own_state.hpp"

#ifndef MSGPACK_NO_BOOST
#define MSGPACK_NO_BOOST
#endif
#include <msgpack.hpp>

#include <algorithm>
#include <exception>

namespace annals {

namespace {

/// Lays out what msgpack-c reads as slots. Every promised child gets its slot when its list or map
/// begins; as each takes at least a byte of payload, there are never more slots than bytes.
class slot_builder : public msgpack::null_visitor {
public:
    void begin(std::size_t payload_bytes, const parse_limits& limits) {
        limits_ = limits;
        payload_bytes_ = payload_bytes;
        content_bytes_ = 0;
        refusal_ = nullptr;
        if (slots_.capacity() > kept_slots && payload_bytes <= kept_slots)
            std::vector<payload_slot>().swap(slots_);
        slots_.assign(1, payload_slot{});
        open_.assign(1, 0);
    }
    void init() const noexcept {} ///< called by msgpack-c; `begin` has done the work
    [[nodiscard]] const payload_slot* root() const noexcept { return slots_.data(); }
    /// Why a visit returned false.
    [[nodiscard]] const char* refusal() const noexcept { return refusal_; }

    bool visit_nil() {
        next().what = kind::nil;
        return true;
    }
    bool visit_boolean(bool value) {
        auto& slot = next();
        slot.boolean = value;
        slot.what = kind::boolean;
        return true;
    }
    bool visit_positive_integer(std::uint64_t value) {
        auto& slot = next();
        slot.natural = value;
        slot.what = kind::natural;
        return true;
    }
    /// msgpack-c calls this for every signed form, whatever the sign.
    bool visit_negative_integer(std::int64_t value) {
        if (value >= 0)
            return visit_positive_integer(static_cast<std::uint64_t>(value));
        auto& slot = next();
        slot.negative = value;
        slot.what = kind::negative;
        return true;
    }
    bool visit_float32(float value) { return visit_float64(double{value}); }
    bool visit_float64(double value) {
        auto& slot = next();
        slot.real = value;
        slot.what = kind::real;
        return true;
    }
    bool visit_str(const char* data, std::uint32_t size) { return content(kind::text, data, size); }
    bool visit_bin(const char* data, std::uint32_t size) {
        return content(kind::binary, data, size);
    }
    /// The first byte is the extension's type; `size` counts it, and is 0 where it overflowed.
    bool visit_ext(const char* data, std::uint32_t size) {
        if (size == 0)
            return refuse("an extension that is too long");
        slots_[open_.back()].extension_type = static_cast<std::int8_t>(*data);
        return content(kind::extension, data + 1, size - 1);
    }
    bool start_array(std::uint32_t count) { return start(kind::list, count, count); }
    bool start_map(std::uint32_t count) {
        return start(kind::map, count, std::uint64_t{count} * 2);
    }
    bool end_array() { return close(); }
    bool end_map() { return close(); }

private:
    using kind = payload_slot::kind;

    /// Slots whose memory is kept from one payload to the next (1 MiB).
    static constexpr std::size_t kept_slots = std::size_t{1} << 16;

    payload_slot& next() noexcept { return slots_[open_.back()++]; }

    bool content(kind what, const char* data, std::uint32_t size) noexcept {
        auto& slot = next();
        slot.data = data;
        slot.size = size;
        slot.what = what;
        content_bytes_ += size;
        return true;
    }

    bool start(kind what, std::uint32_t count, std::uint64_t children) {
        if (count > limits_.max_elements)
            return refuse("too many elements in one list or map");
        if (open_.size() > limits_.max_depth)
            return refuse("nested too deeply");
        if (children > payload_bytes_ - std::min(payload_bytes_, slots_.size() + content_bytes_))
            return refuse("more elements than bytes");
        const std::size_t self = open_.back()++;
        slots_[self].offset = slots_.size() - self;
        slots_[self].size = count;
        slots_[self].what = what;
        open_.push_back(slots_.size());
        slots_.resize(slots_.size() + children);
        return true;
    }
    bool close() noexcept {
        open_.pop_back();
        return true;
    }
    bool refuse(const char* why) noexcept {
        refusal_ = why;
        return false;
    }

    parse_limits limits_;
    std::size_t payload_bytes_ = 0;
    std::size_t content_bytes_ = 0; ///< of text, binary and extensions so far
    const char* refusal_ = nullptr;
    std::vector<payload_slot> slots_;
    std::vector<std::size_t> open_; ///< next slot of the root and of each open list or map
};

error undecodable(std::string what, std::size_t offset, std::size_t size) {
    return {errc::undecodable,
            what + " at byte " + std::to_string(offset) + " of " + std::to_string(size)};
}

} // namespace

class payload_parser::memory {
public:
    result<node> parse(bytes_view payload, const parse_limits& limits) {
        if (payload.empty())
            return error{errc::undecodable, "the payload is empty"};
        slots_.begin(payload.size(), limits);
        reader_.init();
        std::size_t offset = 0;
        const auto end =
            reader_.execute(reinterpret_cast<const char*>(payload.data()), payload.size(), offset);
        if (end == msgpack::PARSE_SUCCESS && offset == payload.size())
            return node(slots_.root());
        return undecodable(reason(end), offset, payload.size());
    }

private:
    [[nodiscard]] const char* reason(msgpack::parse_return end) const noexcept {
        switch (end) {
        case msgpack::PARSE_SUCCESS:
        case msgpack::PARSE_EXTRA_BYTES:
            return "bytes after the value";
        case msgpack::PARSE_CONTINUE:
            return "the payload is cut off";
        case msgpack::PARSE_STOP_VISITOR:
            return slots_.refusal();
        case msgpack::PARSE_PARSE_ERROR:
            break;
        }
        return "not msgpack";
    }

    slot_builder slots_;
    /// msgpack-c's state machine. `msgpack::parse` would make, and allocate, a new one each time.
    msgpack::detail::parse_helper<slot_builder> reader_{slots_};
};

payload_parser::payload_parser() : memory_(std::make_unique<memory>()) {}
payload_parser::~payload_parser() = default;
payload_parser::payload_parser(payload_parser&&) noexcept = default;
payload_parser& payload_parser::operator=(payload_parser&&) noexcept = default;

result<node> payload_parser::parse(bytes_view payload, const parse_limits& given) {
    parse_limits limits = given;
    if (own_state_scope::entered()) {
        limits.max_bytes = std::numeric_limits<std::size_t>::max();
        limits.max_elements = std::numeric_limits<std::size_t>::max();
    }
    if (payload.size() > limits.max_bytes)
        return error{errc::undecodable, "the payload has " + std::to_string(payload.size()) +
                                            " bytes, more than " +
                                            std::to_string(limits.max_bytes)};
    try {
        if (!memory_)
            memory_ = std::make_unique<memory>();
        return memory_->parse(payload, limits);
    } catch (const std::exception& failure) { // out of memory, or msgpack-c on a 32-bit machine
        return error{errc::undecodable, failure.what()};
    }
}

namespace {

struct lendable_parser {
    payload_parser parser;
    bool lent = false;
};

lendable_parser& of_this_thread() {
    thread_local lendable_parser one;
    return one;
}

} // namespace

borrowed_parser::borrowed_parser() {
    auto& ours = of_this_thread();
    if (ours.lent)
        own_ = std::make_unique<payload_parser>();
    parser_ = own_ ? own_.get() : &ours.parser;
    ours.lent = true;
}

borrowed_parser::~borrowed_parser() {
    if (!own_)
        of_this_thread().lent = false;
}

} // namespace annals
