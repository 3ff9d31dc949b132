#pragma once

// How golden files are written down and read.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace annals::test {

inline std::string hex(std::string_view raw) {
    static constexpr auto digits = "0123456789abcdef";
    std::string text;
    for (const auto c : raw) {
        text += digits[static_cast<unsigned char>(c) >> 4];
        text += digits[static_cast<unsigned char>(c) & 15];
    }
    return text;
}

inline std::string read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace annals::test
