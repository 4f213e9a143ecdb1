#include "spec/source.hpp"

#include <fmt/format.h>

namespace afford {

std::string cite(const Sources& sources, std::string_view id) {
  for (const Source& source : sources) {
    if (source.id == id) return fmt::format("{} ({})", source.what, source.date);
  }
  return std::string(id);
}

}  // namespace afford
