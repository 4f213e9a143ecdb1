#include "records/frontier_rows.hpp"

#include <tbb/enumerable_thread_specific.h>

#include <optional>

#include "records/frontier.hpp"
#include "report/row_writer.hpp"

namespace afford {

struct FrontierRows::Threads {
  /// Of one thread: candidates of the same pools come to it one after another.
  struct Writer {
    RowWriter<study::FrontierPoint> rows;
    std::optional<study::FrontierPoint> first;  // of the group being written
  };
  explicit Threads(const study::FrontierRequest& request)
      : writers([request] {
          return Writer{RowWriter(frontier_record(request)), {}};
        }) {}
  tbb::enumerable_thread_specific<Writer> writers;
};

FrontierRows::FrontierRows(const study::FrontierRequest& request)
    : threads_(std::make_unique<Threads>(request)) {}

FrontierRows::~FrontierRows() = default;

void FrontierRows::write(const study::FrontierPoint& point, std::string& out) {
  Threads::Writer& writer = threads_->writers.local();
  if (!writer.first || !study::same_but_batch(*writer.first, point)) {
    writer.first = point;
    writer.rows.start_group(point);
  }
  writer.rows.write(point, out);
}

}  // namespace afford
