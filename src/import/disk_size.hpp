#pragma once
// How many bytes of weights lie on disk, as a check on what is counted.

#include <filesystem>
#include <optional>
#include <string>

#include "import/gguf.hpp"

namespace afford::config {

struct DiskSize {
  double bytes = 0;
  std::string from;  // "model.safetensors.index.json", "3 safetensors headers"
};

/// The weights of the safetensors files in a folder: by their index, else by their headers; nothing
/// where there are none. Throws InputError for a file that is none.
[[nodiscard]] std::optional<DiskSize> safetensors_size(const std::filesystem::path& folder);

/// The bytes of data that the header of a safetensors file describes: its last tensor's end.
/// `bytes`: the start of the file, at least its header; `file` is only for messages. Throws
/// InputError.
[[nodiscard]] double safetensors_bytes(std::string_view bytes, const std::string& file);

/// The weights of a GGUF file, by its header.
[[nodiscard]] DiskSize gguf_size(const GgufHeader& header);

}  // namespace afford::config
