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
    taken_ += static_cast<std::int64_t>(at_);
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
  Line line{.number = ++line_, .text = std::string_view(held_).substr(at_, end - at_)};
  at_ = std::min(end + 1, held_.size());
  if (line.text.ends_with('\r')) line.text.remove_suffix(1);
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (line_ == 1 && line.text.starts_with(byte_order_mark))
    line.text.remove_prefix(byte_order_mark.size());
  return line;
}

LinePosition LineReader::position() const {
  return {.offset = taken_ + static_cast<std::int64_t>(at_), .lines = line_};
}

void LineReader::go_to(const LinePosition& position) {
  file_.go_to(position.offset);
  held_.clear();
  at_ = 0;
  taken_ = position.offset;
  line_ = position.lines;
}

}  // namespace afford
