#include "text/lines.hpp"

#include <fmt/format.h>

#include <limits>

#include "error.hpp"

namespace afford {

std::optional<Line> LineReader::next() {
  constexpr size_t piece = size_t{1} << 18, longest = size_t{1} << 20;
  size_t end = held_.find('\n', at_);
  while (end == std::string::npos) {
    held_.erase(0, at_);
    at_ = 0;
    const size_t before = held_.size();
    if (before > longest) {
      throw InputError({file(), line_ + 1, 1},
                       fmt::format("a line of more than {} MiB", longest >> 20));
    }
    if (file_.append_to(held_, piece) == 0) {
      if (before == 0) return std::nullopt;
      end = before;
    } else {
      end = held_.find('\n', before);
    }
  }
  if (line_ == std::numeric_limits<int>::max())
    throw InputError({file(), line_, 1}, "more lines than can be counted");
  Line line{.number = ++line_, .text = held_.substr(at_, end - at_)};
  at_ = std::min(end + 1, held_.size());
  if (!line.text.empty() && line.text.back() == '\r') line.text.pop_back();
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (line_ == 1 && line.text.starts_with(byte_order_mark)) line.text.erase(0, 3);
  return line;
}

}  // namespace afford
