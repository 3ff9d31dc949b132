#pragma once

#include "annals/journal.hpp"
#include "lmdb/file/read_gate.hpp"
#include "lmdb/journal/head_table.hpp"
#include "lmdb/journal/index_handle.hpp"
#include "lmdb/journal/intake.hpp"
#include "lmdb/journal/page_builder.hpp"

namespace annals::lmdb {

/// The reads of a journal, each in snapshots of at most 1,000 events or 50 ms. Safe from any thread.
class reader {
public:
    /// `queue` is nudged when the index was found damaged.
    reader(read_gate& gate, const head_table& heads, const tables& table, index_handle& index,
           intake& queue) noexcept
        : gate_(gate),
          heads_(heads),
          table_(table),
          index_(index),
          queue_(queue) {}

    [[nodiscard]] result<event_page> read_stream(std::string_view stream, stream_version from,
                                                 std::size_t max, direction way) const;
    [[nodiscard]] result<event_page> read_all(log_position after, std::size_t max,
                                              const event_filter& filter) const;
    [[nodiscard]] result<stream_info> describe(std::string_view stream) const;

private:
    /// The stream's head, which every snapshot taken later contains.
    [[nodiscard]] result<stream_head> head_of(std::string_view stream) const;
    [[nodiscard]] result<event_page> read_upwards(std::string_view stream, const stream_head& head,
                                                  stream_version first, stream_version last) const;
    [[nodiscard]] result<event_page> read_downwards(std::string_view stream,
                                                    const stream_head& head, stream_version first,
                                                    stream_version last) const;

    read_gate& gate_;
    const head_table& heads_;
    tables table_;
    index_handle& index_;
    intake& queue_;
};

} // namespace annals::lmdb
