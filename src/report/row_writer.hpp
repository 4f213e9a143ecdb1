#pragma once
// The rows of a long CSV, one after another. What the rows of a group have in common is put into
// text once for all of them.

#include <string>
#include <utility>
#include <vector>

#include "report/record.hpp"
#include "text/escape.hpp"

namespace afford {

template <class Result>
class RowWriter {
 public:
  explicit RowWriter(Record<Result> record) : record_(std::move(record)) {}

  /// From here on results are of another group, of which this is one: what differs is in the fields
  /// that vary.
  void start_group(const Result& one) {
    pieces_.clear();
    std::string same;
    for (size_t i = 0; i < record_.size(); ++i) {
      const Field<Result>& field = record_[i];
      if (i > 0) same += ',';
      if (field.varies == Varies::with_group) {
        append_csv_cell(same, field.value(one));
      } else if (field.varies == Varies::in_a_number) {
        const std::string text = csv_text(field.around(one));
        const size_t at = text.find(number_mark);
        pieces_.push_back({same + text.substr(0, at), &field});
        same = text.substr(at + 1);
      } else {
        pieces_.push_back({std::exchange(same, {}), &field});
      }
    }
    last_ = same + '\n';
  }

  /// Appends the row of a result of the group: what csv_row(row_of()) makes of it.
  void write(const Result& result, std::string& out) const {
    for (const Piece& piece : pieces_) {
      out += piece.before;
      if (piece.field->varies == Varies::in_a_number) {
        append_csv_number(out, piece.field->number(result));
      } else {
        append_csv_cell(out, piece.field->value(result));
      }
    }
    out += last_;
  }

 private:
  struct Piece {
    std::string before;  // the end of one varying field and the start of the next
    const Field<Result>* field;
  };
  Record<Result> record_;
  std::vector<Piece> pieces_;
  std::string last_;
};

}  // namespace afford
