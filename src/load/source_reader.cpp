#include "load/source_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text/suggest.hpp"

namespace afford {
namespace {

bool is_date(std::string_view text) {
  constexpr std::string_view pattern = "dddd-dd-dd";
  if (text.size() != 4 && text.size() != 7 && text.size() != 10) return false;
  return std::equal(text.begin(), text.end(), pattern.begin(), [](char c, char expected) {
    return expected == 'd' ? c >= '0' && c <= '9' : c == expected;
  });
}

}  // namespace

Sources read_sources(const yaml::Section& root) {
  Sources sources;
  const yaml::Section list = root.names("sources");
  for (const std::string& id : list.keys()) {
    const yaml::Section entry = list.child(id, {"what", "date"});
    Source source{id, entry.text("what"), entry.text("date")};
    if (!is_date(source.date)) {
      entry.fail("date",
                 fmt::format("expected a date such as 2025, 2025-07 or 2025-07-25, got '{}'", source.date));
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
