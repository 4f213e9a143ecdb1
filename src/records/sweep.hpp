#pragma once
// Swept parameters as columns, break-even points as sentences, and costs over a sweep as a picture.

#include <string>
#include <vector>

#include "report/gnuplot.hpp"
#include "report/record.hpp"
#include "study/sweep.hpp"

namespace afford {

/// One column for each parameter of the point, such as sweep_price_h800_usd_per_h; people see them
/// too. `swept` takes a result to its point.
template <class Result, class Way>
[[nodiscard]] Record<Result> sweep_record(const study::SweepPoint& point, Way swept);

[[nodiscard]] Column column_of(const study::SweptValue& value);

/// "step-3 at 8K: h20 + h800 up to price.h800 1.31, then h800 + h800." of each group.
[[nodiscard]] std::vector<std::string> break_even_texts(const std::vector<study::SweptCost>& costs,
                                                        const study::SweptValue& along);

/// What a line of a sweep's picture is called.
[[nodiscard]] std::string choice_line(const study::SweptCost& cost);
[[nodiscard]] std::string group_and_choice_line(const study::SweptCost& cost);

/// Lines of `USD per 1M tokens` over the swept parameter.
[[nodiscard]] Chart sweep_picture(const std::vector<study::SweptCost>& costs,
                                  const study::SweptValue& along, const std::string& value,
                                  std::string (*line)(const study::SweptCost&));

/// What stands in its column.
[[nodiscard]] Cell cell_of(const study::SweptValue& value);

// ---- Implementation

template <class Result, class Way>
Record<Result> sweep_record(const study::SweepPoint& point, Way swept) {
  Record<Result> record;
  for (size_t i = 0; i < point.size(); ++i) {
    record.push_back({column_of(point[i]), [i, swept](const Result& result) -> Cell {
                        return cell_of(swept(result)[i]);
                      }});
  }
  return record;
}

}  // namespace afford
