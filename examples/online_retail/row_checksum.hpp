#pragma once

#include "csv.hpp"

#include <cstdint>
#include <string_view>

namespace retail {

/// A checksum of the rows of a file so far (64-bit FNV-1a over the fields and their lengths).
///
/// After the first row it says which file this is: a longer copy of the file begins the same and goes on
/// where the shorter one ended, another file is another input. After each row it says whether that row
/// and all before it are those of an earlier run.
class row_checksum {
public:
    void add(const csv_record& record) noexcept {
        for (const std::string_view field : record.fields)
            add(field);
        add(record.fault);
    }
    /// Never 0.
    [[nodiscard]] std::uint32_t value() const noexcept {
        const auto folded = static_cast<std::uint32_t>(state_ ^ (state_ >> 32));
        return folded == 0 ? 1 : folded;
    }

private:
    void add(std::string_view text) noexcept {
        for (const char c : text)
            add_byte(static_cast<unsigned char>(c));
        for (std::size_t size = text.size(); size != 0; size >>= 8)
            add_byte(static_cast<unsigned char>(size & 0xff));
        add_byte(0xff); // in no UTF-8 text
    }
    void add_byte(unsigned char byte) noexcept { state_ = (state_ ^ byte) * 0x100000001b3u; }

    std::uint64_t state_ = 0xcbf29ce484222325u;
};

} // namespace retail
