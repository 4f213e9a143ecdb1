#include "cli/explore_page.hpp"

#include <fmt/format.h>

#include <system_error>

#include "cli/words.hpp"
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
    for (const std::string& name : names_in_word(word)) {
      std::error_code none;
      if (looks_like_file(name) && fs::is_regular_file(name, none))
        files.try_emplace(name, read_whole(name, most_bytes, "file of a page"));
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
