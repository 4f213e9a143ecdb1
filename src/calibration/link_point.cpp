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

std::string objection_to_link(std::string_view operation) {
  const auto& known = link_operations;
  if (std::find(known.begin(), known.end(), operation) != known.end()) return "";
  return fmt::format("unknown operation '{}'{}", operation, suggestion(operation, known));
}

std::string links_csv(const std::vector<LinkPoint>& points) {
  return csv_of(points, CsvColumns<LinkPoint>(link_columns));
}

std::vector<LinkPoint> parse_links(std::string_view text, const std::string& file) {
  return parse_csv(text, file, "links", CsvColumns<LinkPoint>(link_columns),
                   [](const LinkPoint& point, const auto& place_of) {
                     const std::string wrong = objection_to_link(point.operation);
                     if (!wrong.empty()) throw InputError(place_of("operation"), wrong);
                   });
}

}  // namespace afford
