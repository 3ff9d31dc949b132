#pragma once

#include <cstdint>
#include <string_view>

namespace retail {

/// Whoever shows how far an import is. Called by the thread that imports.
class import_display {
public:
    virtual ~import_display() = default;

    /// `rows` are done for good, `bytes` of the input are read. Called often: it should be cheap.
    virtual void update(std::uint64_t rows, std::uint64_t bytes) = 0;

    /// A line of its own.
    virtual void print(std::string_view line) = 0;
};

} // namespace retail
