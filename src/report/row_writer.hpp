#pragma once
// The rows of a long CSV, one after another. What the rows of a group have in common is put into
// text once for all of them.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "report/record.hpp"
#include "report/row_pen.hpp"
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
  void write(const Result& result, std::string& out) {
    RowPen pen(out);
    for (Piece& piece : pieces_) {
      pen.write(piece.before);
      write_value(pen, piece, result);
    }
    pen.write(last_);
  }

 private:
  struct Piece {
    std::string before;  // the end of one varying field and the start of the next
    const Field<Result>* field;
    std::string name, text;  // the last one of a field of names, and how CSV writes it
  };

  static void write_value(RowPen& pen, Piece& piece, const Result& result) {
    const Typed<Result>& typed = piece.field->typed;
    if (const auto* number = std::get_if<std::function<double(const Result&)>>(&typed)) {
      pen.write((*number)(result));
    } else if (const auto* whole =
                   std::get_if<std::function<std::int64_t(const Result&)>>(&typed)) {
      pen.write((*whole)(result));
    } else if (const auto* name =
                   std::get_if<std::function<std::string_view(const Result&)>>(&typed)) {
      write_name(pen, piece, (*name)(result));
    } else {
      std::string cell;
      append_csv_cell(cell, piece.field->value(result));
      pen.write(cell);
    }
  }
  /// There are few, so that mostly it is the last one's.
  static void write_name(RowPen& pen, Piece& piece, std::string_view name) {
    if (name != piece.name) {
      piece.name = name;
      piece.text = csv_text(name);
    }
    pen.write(piece.text);
  }

  Record<Result> record_;
  std::vector<Piece> pieces_;
  std::string last_;
};

}  // namespace afford
