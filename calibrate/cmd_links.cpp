#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "afd_run.hpp"
#include "calibration/links.hpp"
#include "commands.hpp"
#include "error.hpp"
#include "links_run.hpp"
#include "outputs.hpp"
#include "report/output_file.hpp"
#include "text/file.hpp"
#include "units.hpp"
#include "watchdog.hpp"

namespace afford::calibrate {
namespace {

constexpr std::chrono::seconds longest_step{60};

std::string row(const LinkPoint& p) {
  const double rate = p.us > 0 ? p.bytes / (1e-6 * p.us) : 0;
  return fmt::format("{:<15} {:<12} {:>2} GPUs {:>11.0f} B {:>10.2f} us {:>8.1f} GB/s{}{}\n",
                     p.operation, p.by, p.gpus, p.bytes, p.us, ByteRate(rate) / GB_per_s,
                     p.cost > 0 ? fmt::format("  costs {:.2f} a byte", p.cost) : "",
                     p.right ? "" : "  WRONG");
}

}  // namespace

int links(const LinksOptions& options) {
  const int there = static_cast<int>(find_gpus().gpus.size());
  const int gpus = options.gpus > 0 ? options.gpus : there;
  if (there > 0 && gpus < 2)
    throw UsageError(
        fmt::format("links are between two GPUs at least, and this machine has {}", there));
  Server server = open_server(std::max(gpus, 1));
  const Provenance from =
      provenance_of(server.sessions.front(), fmt::format("afford-calibrate links --gpus {}", gpus));
  const OutputPaths paths = output_paths(options.output, from.chip);
  const std::string calibration =
      read_whole(paths.calibration.string(), largest_calibration, "calibration");
  Watchdog watchdog(longest_step, [] {
    fmt::print(stderr, "afford-calibrate: a transfer did not end within {} s\n",
               longest_step.count());
    std::fflush(nullptr);
    std::_Exit(exit_no);
  });
  const LinksRun run = measure_links(gpus, [&](const LinkPoint& point) {
    watchdog.alive();
    fmt::print("{}", row(point));
    std::fflush(stdout);
  });
  if (run.nccl.empty())
    fmt::print(stderr, "afford-calibrate: warning: no NCCL collectives: {}\n", run.missing);
  const Links found = fit_links(run.points, {.date = from.date,
                                             .commit = from.commit,
                                             .command = from.command,
                                             .driver = from.driver,
                                             .nccl = run.nccl});
  std::filesystem::path points = paths.points;
  points.replace_filename(from.chip + ".links.csv");
  write_whole(points, links_csv(run.points));
  write_whole(paths.calibration, with_links(calibration, found));
  const auto wrong = std::count_if(run.points.begin(), run.points.end(),
                                   [](const LinkPoint& point) { return !point.right; });
  fmt::print(stderr, "afford-calibrate: {} points, {} wrong: {} and {}\n", run.points.size(), wrong,
             paths.calibration.string(), points.string());
  return wrong > 0 ? exit_no : exit_done;
}

}  // namespace afford::calibrate
