#include "figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vipd::bench {
namespace {

std::string number(double value) {
  const int digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return fmt::format("{:.{}f}", value, digits);
}

std::string pair(const Samples& samples) {
  if (samples.empty()) return "-";
  return number(median(samples)) + " (" + number(percentile(samples, 0.95)) + ")";
}

std::optional<double> ratio(const Figure& figure) {
  const double theirs = median(figure.keepalived);
  if (figure.vipd.empty() || theirs <= 0) return std::nullopt;
  return median(figure.vipd) / theirs;
}

/// The name of a figure, with its unit if it has one.
std::string named(const Figure& figure, const char* before, const char* behind) {
  return figure.unit.empty() ? figure.what : figure.what + before + figure.unit + behind;
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c);
  return result;
}

}  // namespace

double percentile(Samples samples, double share) {
  if (samples.empty()) return 0;
  std::ranges::sort(samples);
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(samples.size())));
  return samples[std::max<std::size_t>(rank, 1) - 1];
}

std::string as_table(const std::vector<Figure>& figures) {
  std::string table = fmt::format("{:<58} {:>18} {:>18} {:>16} {:>6} {:>5}\n", "median (95th percentile)", "vipd",
                                  "keepalived", "floor", "ratio", "goal");
  for (const Figure& figure : figures) {
    const auto quotient = ratio(figure);
    table += fmt::format("{:<58} {:>18} {:>18} {:>16} {:>6} {:>5}\n", named(figure, " [", "]"), pair(figure.vipd),
                         pair(figure.keepalived), figure.floor ? pair(*figure.floor) : "",
                         quotient ? fmt::format("{:.2f}", *quotient) : "",
                         figure.goal ? fmt::format("{:.2f}", *figure.goal) : "");
  }
  return table;
}

nlohmann::ordered_json as_json(const std::vector<Figure>& figures) {
  auto list = nlohmann::ordered_json::array();
  for (const Figure& figure : figures) {
    nlohmann::ordered_json one{
        {"what", figure.what}, {"unit", figure.unit}, {"vipd", figure.vipd}, {"keepalived", figure.keepalived}};
    if (figure.floor) one["floor"] = *figure.floor;
    if (const auto quotient = ratio(figure)) one["ratio"] = *quotient;
    if (figure.goal) one["goal"] = *figure.goal;
    list.push_back(std::move(one));
  }
  return {{"schema", "vipd-bench/1"}, {"figures", std::move(list)}};
}

std::string as_svg(const std::vector<Figure>& figures) {
  constexpr int kLeft = 460, kWide = 300, kRow = 38, kTop = 24;
  std::string bars;
  int y = kTop;
  for (const Figure& figure : figures) {
    const double ours = median(figure.vipd), theirs = median(figure.keepalived), most = std::max({ours, theirs, 1e-9});
    bars += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", kLeft - 10, y + 18,
                        escaped(named(figure, ", ", "")));
    const auto bar = [&](int offset, double value, const char* colour) {
      const double width = std::max(1.0, kWide * value / most);
      bars += fmt::format(
          "<rect x=\"{}\" y=\"{}\" width=\"{:.0f}\" height=\"13\" fill=\"{}\"/><text x=\"{:.0f}\" y=\"{}\">{}</text>\n",
          kLeft, y + offset, width, colour, kLeft + width + 6, y + offset + 11, number(value));
    };
    bar(0, ours, "#2a7a4b");
    bar(15, theirs, "#999999");
    y += kRow;
  }
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"860\" height=\"{}\" font-family=\"sans-serif\" "
      "font-size=\"12\">\n<text x=\"{}\" y=\"14\">vipd (green) and keepalived (grey), medians</text>\n{}</svg>\n",
      y + 10, kLeft, bars);
}

}  // namespace vipd::bench
