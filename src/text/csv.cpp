#include "text/csv.hpp"

#include "text/utf8.hpp"

namespace afford {

CsvReader::CsvReader(std::string file, std::string content, int first_line)
    : file_(std::move(file)), content_(std::move(content)), line_(first_line) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  require_text(content_, file_, first_line);
  if (content_.starts_with(byte_order_mark)) at_ = line_start_ = byte_order_mark.size();
}

CsvField CsvReader::field() {
  CsvField field{.text = {}, .column = static_cast<int>(at_ - line_start_) + 1};
  const Place start{file_, line_, field.column};
  if (at_ < content_.size() && content_[at_] == '"') {
    for (++at_;; ++at_) {
      if (at_ >= content_.size()) throw InputError(start, "a quote is opened and not closed");
      if (content_[at_] == '"') {
        if (at_ + 1 >= content_.size() || content_[at_ + 1] != '"') break;
        ++at_;
      }
      if (content_[at_] == '\n') ++line_, line_start_ = at_ + 1;
      field.text += content_[at_];
    }
    ++at_;
    if (at_ < content_.size() && content_[at_] != ',' && content_[at_] != '\n' &&
        content_[at_] != '\r')
      throw InputError({file_, line_, static_cast<int>(at_ - line_start_) + 1},
                       "text after a closing quote");
    return field;
  }
  while (at_ < content_.size() && content_[at_] != ',' && content_[at_] != '\n') {
    if (content_[at_] == '"') {
      throw InputError({file_, line_, static_cast<int>(at_ - line_start_) + 1},
                       "a quote inside a field that does not start with one");
    }
    field.text += content_[at_++];
  }
  if (!field.text.empty() && field.text.back() == '\r') field.text.pop_back();
  return field;
}

std::optional<CsvRow> CsvReader::next() {
  while (at_ < content_.size()) {
    CsvRow row{.line = line_, .fields = {}};
    for (bool more = true; more;) {
      row.fields.push_back(field());
      if (at_ < content_.size() && content_[at_] == '\r') ++at_;
      more = at_ < content_.size() && content_[at_] == ',';
      if (at_ < content_.size()) ++at_;
    }
    ++line_, line_start_ = at_;
    if (row.fields.size() > 1 || !row.fields.front().text.empty()) return row;
  }
  return std::nullopt;
}

}  // namespace afford
