#include "calibration/points_csv.hpp"

#include "calibration/record_csv.hpp"
#include "text/file.hpp"

namespace afford {
namespace {

constexpr CsvColumn<Point> point_columns[] = {{"operation", &Point::operation},
                                              {"precision", &Point::precision},
                                              {"tag", &Point::tag},
                                              {"batch", &Point::batch},
                                              {"query_heads", &Point::query_heads},
                                              {"kv_heads", &Point::kv_heads},
                                              {"head_dim", &Point::head_dim},
                                              {"context_tokens", &Point::context_tokens},
                                              {"longest_tokens", &Point::longest_tokens},
                                              {"paged", &Point::paged},
                                              {"experts", &Point::experts},
                                              {"tokens", &Point::tokens},
                                              {"busiest_tokens", &Point::busiest_tokens},
                                              {"hidden", &Point::hidden},
                                              {"intermediate", &Point::intermediate},
                                              {"m", &Point::m},
                                              {"n", &Point::n},
                                              {"k", &Point::k},
                                              {"bytes", &Point::bytes},
                                              {"flops", &Point::flops},
                                              {"padded_flops", &Point::padded_flops},
                                              {"median_us", &Point::median_us},
                                              {"p25_us", &Point::p25_us},
                                              {"p75_us", &Point::p75_us},
                                              {"min_us", &Point::min_us},
                                              {"isolated_us", &Point::isolated_us},
                                              {"samples", &Point::samples},
                                              {"sm_clock_mhz", &Point::sm_clock_mhz},
                                              {"power_w", &Point::power_w},
                                              {"temperature_c", &Point::temperature_c},
                                              {"error", &Point::error},
                                              {"tolerance", &Point::tolerance},
                                              {"kernel", &Point::kernel},
                                              {"rejected", &Point::rejected},
                                              {"card", &Point::card, true}};

}  // namespace

std::string points_csv(const std::vector<Point>& points) {
  return csv_of(points, CsvColumns<Point>(point_columns));
}

std::vector<Point> parse_points(std::string_view text, const std::string& file) {
  return parse_csv(text, file, "points", CsvColumns<Point>(point_columns));
}

std::vector<Point> read_points(const std::string& path) {
  constexpr size_t most = size_t{16} << 20;
  return parse_points(read_whole(path, most, "table of points"), path);
}

}  // namespace afford
