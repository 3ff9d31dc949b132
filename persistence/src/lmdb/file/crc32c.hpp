#pragma once

#include <cstddef>
#include <cstdint>

#include <isa-l/crc.h>

namespace annals::lmdb {

/// CRC-32C (Castagnoli) over several pieces, one after the other.
class crc32c {
public:
    /// Precondition: size is at most 1 GiB.
    crc32c& add(const std::byte* bytes, std::size_t size) noexcept {
        // ISA-L reads only; its prototype lacks the const.
        auto* const plain = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes));
        state_ = crc32_iscsi(plain, static_cast<int>(size), state_);
        return *this;
    }
    [[nodiscard]] std::uint32_t value() const noexcept { return ~state_; }

private:
    std::uint32_t state_ = 0xffffffff;
};

} // namespace annals::lmdb
