#include "text/file.hpp"

#include <fmt/format.h>

#include <fstream>
#include <system_error>

#include "error.hpp"

namespace afford {

std::string read_whole(const std::filesystem::path& path, size_t most, std::string_view what) {
  const std::string file = path.string();
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw InputError({file}, "no such file");
  if (!std::filesystem::is_regular_file(status)) throw InputError({file}, "not a regular file");
  const auto size = std::filesystem::file_size(path, error);
  if (!error && size > most) {
    throw InputError({file},
                     fmt::format("larger than {} MiB, the most {} may have", most >> 20, what));
  }
  std::ifstream stream(path, std::ios::binary);
  std::string text(error ? 0 : size, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (error || !stream) throw InputError({file}, "cannot be read");
  return text;
}

}  // namespace afford
