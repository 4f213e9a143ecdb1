#pragma once
// Rows of everything that a search tries, by the million: what the record of a frontier says of
// each, as CSV.

#include <memory>
#include <string>

#include "study/frontier.hpp"

namespace afford {

class FrontierRows {
 public:
  explicit FrontierRows(const study::FrontierRequest& request);
  ~FrontierRows();
  FrontierRows(const FrontierRows&) = delete;
  FrontierRows& operator=(const FrontierRows&) = delete;

  /// Appends its row. May be called by several threads at once.
  void write(const study::FrontierPoint& point, std::string& out);

 private:
  struct Threads;
  std::unique_ptr<Threads> threads_;
};

}  // namespace afford
