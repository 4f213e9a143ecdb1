#include "records/served.hpp"

namespace afford {

const Record<study::Served>& served_record() {
  static const Record<study::Served> record = {{{"fidelity", "fidelity", Show::text, in_files_only},
                                                [](const study::Served& s) { return s.fidelity; }}};
  return record;
}

}  // namespace afford
