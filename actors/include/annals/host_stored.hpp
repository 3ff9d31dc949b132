#pragma once

#include "annals/hosting.hpp"
#include "annals/stored_map.hpp"

/// A host's stored view behind the interface that the actors know.
namespace annals::hosting {

template <stored_view V>
class typed_bound_view final : public stored_view_type::bound {
public:
    explicit typed_bound_view(table_rows& rows) { bind_tables(state_, rows); }

    folding fold(const decoded_events& events, std::size_t first, std::size_t end,
                 const std::function<void(std::size_t)>& began) override {
        return fold_events(state_, V::name,
                           static_cast<const typed_events<typename V::event>&>(events), first, end,
                           [&](std::size_t index) {
                               if (began)
                                   began(index);
                           });
    }
    const void* state() const noexcept override { return &state_; }

private:
    V state_{};
};

template <stored_view V>
class typed_stored_view_type final : public stored_view_type {
public:
    static_assert(complete_domain<V>::ok && require_stored_view<V>::ok);
    projection_kind kind() const noexcept override { return projection_kind::stored_view; }
    std::string_view name() const noexcept override { return V::name; }
    std::uint32_t version() const noexcept override { return version_of<V>(); }
    std::string meaning() const override {
        type_shape kept;
        kept.add<V>();
        return meaning_of<V>(kept.take());
    }
    std::span<const std::type_index> queries() const noexcept override {
        return alternatives<typename V::query>::types();
    }
    std::type_index type() const noexcept override { return typeid(V); }
    event_filter filter() const override { return filter_of<V>(); }
    decoding decode(const event_page& page, std::size_t first,
                    std::span<const log_position> skip) const override {
        return decode_page<typename V::event>(page, first, skip);
    }
    std::unique_ptr<bound> bind(table_rows& rows) const override {
        return std::make_unique<typed_bound_view<V>>(rows);
    }
    std::string shape() const override { return shape_of<V>(); }
};

} // namespace annals::hosting
