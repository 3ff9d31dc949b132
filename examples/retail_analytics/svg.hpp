#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Writes an SVG document: elements that are closed in order, and text that cannot break out of its
/// place. A plotting library would draw text as outlines in fixed colours (cairo) or is no longer
/// kept up (PLplot); a document of rectangles, lines and text needs none.
namespace retail::analytics {

/// `text`, which is UTF-8, for element content and attribute values: markup is escaped, control
/// characters are left out.
[[nodiscard]] std::string xml_escaped(std::string_view text);

/// "12.5": at most two decimals, a point whatever the locale.
[[nodiscard]] std::string svg_number(double value);

class svg_writer {
public:
    using attributes = std::initializer_list<std::pair<std::string_view, std::string>>;

    /// A document of this size, in the units of its coordinates. `style` is CSS, trusted.
    svg_writer(double width, double height, std::string_view style);

    void open(std::string_view element, attributes with);
    void close();
    /// An element that holds `text`, or nothing.
    void add(std::string_view element, attributes with, std::string_view text = {});

    /// Closes what is open. Nothing can be added behind it.
    [[nodiscard]] std::string finish();

private:
    void begin(std::string_view element, attributes with);

    std::string out_;
    std::vector<std::string> open_;
};

} // namespace retail::analytics
