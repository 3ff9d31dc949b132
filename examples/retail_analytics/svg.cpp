#include "svg.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace retail::analytics {

std::string xml_escaped(std::string_view text) {
    std::string escaped;
    escaped.reserve(text.size());
    for (const char c : text) {
        if (c == '&')
            escaped += "&amp;";
        else if (c == '<')
            escaped += "&lt;";
        else if (c == '>')
            escaped += "&gt;";
        else if (c == '"')
            escaped += "&quot;";
        else if (c == '\t' || c == '\n' || static_cast<unsigned char>(c) >= ' ')
            escaped += c;
    }
    return escaped;
}

std::string svg_number(double value) {
    const double hundredths = std::round(value * 100);
    std::array<char, 64> text{};
    const auto [end, failed] = std::to_chars(text.data(), text.data() + text.size(),
                                             (hundredths == 0 ? 0 : hundredths) / 100);
    return failed == std::errc() ? std::string(text.data(), end) : "0";
}

svg_writer::svg_writer(double width, double height, std::string_view style) {
    out_ = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    open("svg", {{"xmlns", "http://www.w3.org/2000/svg"},
                 {"viewBox", "0 0 " + svg_number(width) + " " + svg_number(height)},
                 {"width", svg_number(width)},
                 {"height", svg_number(height)},
                 {"role", "img"}});
    out_ += "<style>\n";
    out_ += style;
    out_ += "</style>\n";
}

void svg_writer::begin(std::string_view element, attributes with) {
    out_ += '<';
    out_ += element;
    for (const auto& [name, value] : with) {
        out_ += ' ';
        out_ += name;
        out_ += "=\"" + xml_escaped(value) + '"';
    }
}

void svg_writer::open(std::string_view element, attributes with) {
    begin(element, with);
    out_ += ">\n";
    open_.emplace_back(element);
}

void svg_writer::close() {
    if (open_.empty())
        return;
    out_ += "</" + open_.back() + ">\n";
    open_.pop_back();
}

void svg_writer::add(std::string_view element, attributes with, std::string_view text) {
    begin(element, with);
    if (text.empty()) {
        out_ += "/>\n";
        return;
    }
    out_ += '>' + xml_escaped(text) + "</";
    out_ += element;
    out_ += ">\n";
}

std::string svg_writer::finish() {
    while (!open_.empty())
        close();
    return std::move(out_);
}

} // namespace retail::analytics
