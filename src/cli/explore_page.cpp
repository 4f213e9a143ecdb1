#include "cli/explore_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "error.hpp"
#include "load/folders.hpp"
#include "text/escape.hpp"
#include "text/file.hpp"

namespace afford::cli {

namespace fs = std::filesystem;

fs::path built_page() {
  std::error_code none;
  const fs::path program = fs::read_symlink("/proc/self/exe", none);
  for (const fs::path& folder : {data_folder(), program.parent_path()}) {
    if (fs::is_regular_file(folder / "explore.html", none)) return folder / "explore.html";
  }
  throw UsageError(
      "the page is not built: in the source tree, 'sh .ci/setup --page && cmake --workflow "
      "--preset page' installs what that needs (Emscripten, node) and builds it");
}

std::map<std::string, std::string> files_of(const std::vector<std::string>& command) {
  constexpr size_t most_bytes = size_t{8} << 20;
  std::map<std::string, std::string> files;
  for (const std::string& word : command) {
    for (size_t at = 0; at <= word.size();) {
      const size_t comma = std::min(word.find(',', at), word.size());
      const std::string part = word.substr(at, comma - at);
      for (const std::string& name : {part, part.substr(0, part.rfind(':'))}) {
        std::error_code none;
        if (name.find_first_of("./") != std::string::npos && fs::is_regular_file(name, none))
          files.try_emplace(name, read_whole(name, most_bytes, "file of a page"));
      }
      at = comma + 1;
    }
  }
  return files;
}

std::string start_of(const std::vector<std::string>& command,
                     const std::map<std::string, std::string>& files) {
  std::string start;
  for (const std::string& word : command) start += fmt::format("<p>{}</p>", html_text(word));
  for (const auto& [name, text] : files)
    start += fmt::format("<pre title=\"{}\">\n{}</pre>", html_text(name), html_text(text));
  return start;
}

}  // namespace afford::cli
