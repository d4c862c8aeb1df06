/// Figure: one measurement of both programs, and the values that it is compared with.
///
/// The samples of a program are kept as they are. The median, the 95th percentile and the ratio are computed for
/// display.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace vipd::bench {

using Samples = std::vector<double>;

/// The smallest sample that at least `share` (0..1) of all samples do not exceed; 0 without samples.
double percentile(Samples samples, double share);
inline double median(const Samples& samples) { return percentile(samples, 0.5); }

struct Figure {
  std::string what;                    ///< "address present after theory, adverts every 1s"
  std::string unit;                    ///< "ms"
  Samples vipd = {}, keepalived = {};  ///< in `unit`
  std::optional<Samples> floor = {};   ///< the kernel's own time for the same work, measured in the same run
  std::optional<double> goal = {};     ///< greatest acceptable ratio of the medians
};

/// A line for each: medians, 95th percentiles, ratio.
std::string as_table(const std::vector<Figure>& figures);
nlohmann::ordered_json as_json(const std::vector<Figure>& figures);
/// A bar for each program and figure, drawn to the scale of the greater of the two.
std::string as_svg(const std::vector<Figure>& figures);

}  // namespace vipd::bench
