#include "load/source_reader.hpp"

#include <fmt/format.h>

#include "text/date.hpp"
#include "text/suggest.hpp"

namespace afford {
Sources read_sources(const yaml::Section& root) {
  Sources sources;
  const yaml::Section list = root.names("sources");
  for (const std::string& id : list.keys()) {
    const yaml::Section entry = list.child(id, {"what", "date"});
    Source source{id, entry.text("what"), entry.text("date")};
    if (!is_date(source.date)) {
      entry.fail("date",
                 fmt::format("expected a date such as 2025, 2025-07 or 2025-07-25, got '{}'",
                             source.date));
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

std::string read_source(const yaml::Section& section, const Sources& sources) {
  std::string id = section.text("source");
  std::vector<std::string> ids;
  for (const Source& source : sources) {
    if (source.id == id) return id;
    ids.push_back(source.id);
  }
  section.fail("source", fmt::format("no source '{}' in 'sources'{}", id, suggestion(id, ids)));
}

}  // namespace afford
