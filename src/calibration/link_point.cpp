#include "calibration/link_point.hpp"

#include "calibration/record_csv.hpp"

namespace afford {
namespace {

using P = LinkPoint;

constexpr CsvColumn<P> columns[] = {
    {"operation", &P::operation}, {"by", &P::by},      {"gpus", &P::gpus},
    {"bytes", &P::bytes},         {"us", &P::us},      {"spread", &P::spread},
    {"cost", &P::cost},           {"right", &P::right}};

}  // namespace

std::string links_csv(const std::vector<LinkPoint>& points) {
  return csv_of(points, CsvColumns<P>(columns));
}

std::vector<LinkPoint> parse_links(std::string_view text, const std::string& file) {
  return parse_csv(text, file, "links", CsvColumns<P>(columns));
}

}  // namespace afford
