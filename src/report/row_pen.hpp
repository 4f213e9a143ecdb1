#pragma once
// Writes a row of a long CSV at the end of a text, into room that is made once a row.

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "text/shortest.hpp"

namespace afford {

class RowPen {
 public:
  /// `out` must outlive it, and be left alone meanwhile.
  explicit RowPen(std::string& out) : out_(out) { make_room(out.size(), usual_row); }
  ~RowPen() { out_.resize(written()); }
  RowPen(const RowPen&) = delete;
  RowPen& operator=(const RowPen&) = delete;

  /// As it is: a cell that needs quotes has them.
  void write(std::string_view text) {
    need(text.size());
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void write(std::int64_t number) {
    const fmt::format_int text(number);
    write(std::string_view(text.data(), text.size()));
  }
  /// Nothing where it is not a number.
  void write(double number) {
    if (std::isnan(number)) return;
    need(longest_shortest);
    at_ = write_shortest(at_, number);
  }

 private:
  static constexpr size_t usual_row = 640;  // bytes; a longer one costs a move

  [[nodiscard]] size_t written() const { return static_cast<size_t>(at_ - out_.data()); }
  void need(size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) make_room(written(), usual_row + bytes);
  }
  void make_room(size_t at, size_t more) {
    out_.resize(at + more);
    at_ = out_.data() + at;
    end_ = out_.data() + out_.size();
  }

  std::string& out_;
  char *at_ = nullptr, *end_ = nullptr;
};

}  // namespace afford
