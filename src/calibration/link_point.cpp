#include "calibration/link_point.hpp"

#include "calibration/record_csv.hpp"

namespace afford {
namespace {

constexpr CsvColumn<LinkPoint> link_columns[] = {{"operation", &LinkPoint::operation},
                                                 {"by", &LinkPoint::by},
                                                 {"gpus", &LinkPoint::gpus},
                                                 {"bytes", &LinkPoint::bytes},
                                                 {"us", &LinkPoint::us},
                                                 {"spread", &LinkPoint::spread},
                                                 {"cost", &LinkPoint::cost},
                                                 {"right", &LinkPoint::right}};

}  // namespace

std::string links_csv(const std::vector<LinkPoint>& points) {
  return csv_of(points, CsvColumns<LinkPoint>(link_columns));
}

std::vector<LinkPoint> parse_links(std::string_view text, const std::string& file) {
  return parse_csv(text, file, "links", CsvColumns<LinkPoint>(link_columns));
}

}  // namespace afford
