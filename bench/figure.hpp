/// Figure: what was measured of both programs, and what it is to be compared with.
///
/// A program's samples are kept as they are; the median, the 95th percentile and the ratio are formed where they are
/// shown. Callers: the scenarios make figures, main shows them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace vipd::bench {

using Samples = std::vector<double>;

/// The sample that `share` (0..1) of all are not greater than; 0 if there is none.
double percentile(Samples samples, double share);
inline double median(const Samples& samples) { return percentile(samples, 0.5); }

struct Figure {
  std::string what;                    ///< "address present after theory, adverts every 1s"
  std::string unit;                    ///< "ms"
  Samples vipd = {}, keepalived = {};  ///< in `unit`
  std::optional<Samples> floor = {};   ///< what the kernel needs for it, measured in the same run
  std::optional<double> goal = {};     ///< of the ratio of the medians, at most
};

/// A line for each: medians, 95th percentiles, ratio.
std::string as_table(const std::vector<Figure>& figures);
nlohmann::ordered_json as_json(const std::vector<Figure>& figures);
/// A bar for each program and figure, as far as the greater of both reaches.
std::string as_svg(const std::vector<Figure>& figures);

}  // namespace vipd::bench
