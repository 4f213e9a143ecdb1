#include "report/replay_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/chart_style.hpp"

namespace afford {
namespace {

/// The unit that leaves a span a number of two or three digits.
struct TimeUnit {
  const char* name;
  double seconds;
};
TimeUnit unit_for(double span_s) {
  constexpr double minute = 60, hour = 3600, few = 5;
  if (span_s > few * hour) return {"hours", hour};
  if (span_s > few * minute) return {"minutes", minute};
  return {"seconds", 1};
}

double span_of(const std::vector<ReplayLine>& lines) {
  double span = 0;
  for (const ReplayLine& line : lines) {
    if (!line.loads.empty()) span = std::max(span, line.loads.back().time_s);
  }
  return span;
}

std::string load_data(const std::vector<ReplayLine>& lines, double unit) {
  std::string data;
  for (size_t l = 0; l < lines.size(); ++l) {
    data += fmt::format("$load{} << EOD\n", l);
    for (const ReplayLine::Load& load : lines[l].loads)
      data += fmt::format("{:.6g} {:.6g} {:.6g} {:.6g}\n", load.time_s / unit, load.in_flight,
                          load.waiting, load.memory);
    data += lines[l].loads.empty() ? "NaN NaN NaN NaN\nEOD\n" : "EOD\n";
  }
  return data;
}

std::string within_data(const std::vector<ReplayLine>& lines, const char* block,
                        std::vector<ReplayLine::Within> ReplayLine::*of) {
  std::string data;
  for (size_t l = 0; l < lines.size(); ++l) {
    data += fmt::format("${}{} << EOD\n", block, l);
    for (const ReplayLine::Within& at : lines[l].*of)
      data += fmt::format("{:.6g} {:.6g}\n", at.time_ms, at.share);
    data += (lines[l].*of).empty() ? "NaN NaN\nEOD\n" : "EOD\n";
  }
  return data;
}

/// One plot command of a line for each row; `column` against the first.
std::string lines_of(const std::vector<ReplayLine>& lines, const char* block, int column,
                     const char* dash) {
  std::string plots;
  for (size_t l = 0; l < lines.size(); ++l)
    plots += fmt::format("{} ${}{} using 1:{} with lines lw 2 {} lc rgb '{}' notitle",
                         l > 0 ? "," : "", block, l, column, dash, colour(l));
  return plots;
}

/// The names of the rows and of the two dashes, in the first panel.
std::string key_of(const std::vector<ReplayLine>& lines) {
  std::string key;
  for (size_t l = 0; l < lines.size(); ++l)
    key += fmt::format(", NaN with lines lw 2 lc rgb '{}' title {}", colour(l),
                       gnuplot_text(lines[l].name));
  return key + ", NaN with lines lw 2 dt 2 lc rgb '#444444' title 'waiting'";
}

/// From a little below to a little above all times of the rows, and marks at 1, 2 and 5 of each
/// decade there; more where there are few decades.
struct TimeAxis {
  double least = INFINITY, most = 0;

  TimeAxis(const std::vector<ReplayLine>& lines, std::vector<ReplayLine::Within> ReplayLine::*of) {
    for (const ReplayLine& line : lines) {
      for (const ReplayLine::Within& at : line.*of) {
        if (!(at.time_ms > 0)) continue;
        least = std::min(least, at.time_ms / 1.1);
        most = std::max(most, at.time_ms * 1.1);
      }
    }
    if (!(most > 0)) least = 1, most = 10;
  }
  [[nodiscard]] std::string marks() const {
    constexpr double few_decades = 30;
    const std::vector<double> digits = most < few_decades * least
                                           ? std::vector{1.0, 1.5, 2.0, 3.0, 5.0, 7.0}
                                           : std::vector{1.0, 2.0, 5.0};
    std::string text;
    for (double decade = std::pow(10, std::floor(std::log10(least))); decade <= most;
         decade *= 10) {
      for (const double digit : digits) {
        if (digit * decade >= least && digit * decade <= most)
          text += fmt::format("{}{:g}", text.empty() ? "" : ", ", digit * decade);
      }
    }
    return text;
  }
};

/// Shares within a time.
std::string within_panel(const std::vector<ReplayLine>& lines, const char* block, const char* label,
                         const TimeAxis& axis) {
  return fmt::format(
      "set logscale x\nset xtics ({})\nset grid xtics\nset xrange [{:.4g}:{:.4g}]\n"
      "set yrange [0:100]\nset xlabel '{}'\nset ylabel '% of requests within it'\nunset key\n"
      "plot{}\n",
      axis.marks(), axis.least, axis.most, label, lines_of(lines, block, 2, ""));
}

/// The most requests at a time, with room above for the key.
double top_of(const std::vector<ReplayLine>& lines) {
  double most = 1;
  for (const ReplayLine& line : lines) {
    for (const ReplayLine::Load& load : line.loads)
      most = std::max({most, load.in_flight, load.waiting});
  }
  constexpr double a_line = 0.08;  // of a panel's height
  return most * (1.05 + a_line * (static_cast<double>(lines.size()) + 1));
}

}  // namespace

Chart replay_chart(const std::vector<ReplayLine>& lines) {
  const double span = span_of(lines);
  const TimeUnit unit = unit_for(span);
  const bool first_tokens = std::any_of(lines.begin(), lines.end(), [](const ReplayLine& line) {
    return !line.first_tokens.empty();
  });
  std::string script = load_data(lines, unit.seconds) +
                       within_data(lines, "first", &ReplayLine::first_tokens) +
                       within_data(lines, "token", &ReplayLine::tokens) + std::string(look);
  script += fmt::format(
      "set multiplot layout 2,2\nset xlabel '{0}'\nset ylabel 'requests in flight'\n"
      "set xrange [0:{1:.6g}]\nset yrange [0:{6:.6g}]\nset key top left reverse Left samplen 2\n"
      "plot{2},{3}{4}\nunset key\nset ylabel '% of the memory for caches'\nset yrange [0:*]\n"
      "plot{5}\n",
      unit.name, std::max(span / unit.seconds, 1e-9), lines_of(lines, "load", 2, ""),
      lines_of(lines, "load", 3, "dt 2"), key_of(lines), lines_of(lines, "load", 4, ""),
      top_of(lines));
  if (first_tokens)
    script += within_panel(lines, "first", "time to the first token, ms",
                           {lines, &ReplayLine::first_tokens});
  script += within_panel(lines, "token", "mean time from token to token, ms",
                         {lines, &ReplayLine::tokens});
  script += "unset multiplot\n";
  return {.script = std::move(script), .width = 1280, .height = 900};
}

}  // namespace afford
