#pragma once
// How an import is asked for on the command line.

#include <string>
#include <vector>

#include "cli/verb.hpp"
#include "import/import.hpp"

namespace afford::cli {

struct ImportArgs {
  std::vector<std::string> files;
  std::string output, name, title, source, date, precision = "config", context = "8k";
  std::string total, active, total_counts = "embedding lm_head",
                             active_counts = "embedding lm_head";
  std::string published_source, published_date;
  std::vector<std::string> assumptions;
};

void add_import(Verb& verb, ImportArgs& args);
/// Throws UsageError.
[[nodiscard]] config::ImportOptions import_options(const ImportArgs& args, const std::string& file);

}  // namespace afford::cli
