#pragma once
// The header of a GGUF file (versions 2 and 3, github.com/ggml-org/ggml/blob/master/docs/gguf.md)
// as a config and the formats of its tensors.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace afford::config {

struct GgufTensor {
  std::string name;
  double elements = 0;
  std::uint32_t type = 0;
};

/// A scalar as text, "llama.block_count" -> "32"; of a list its value where all are the same, and
/// its length under "KEY.length".
struct GgufHeader {
  std::vector<std::pair<std::string, std::string>> values;
  std::vector<GgufTensor> tensors;
};

/// `bytes`: the start of a file, at least its header; `file` is only for messages. Throws
/// InputError.
[[nodiscard]] GgufHeader parse_gguf(std::string_view bytes, const std::string& file);

/// The header as the JSON text of a config of Hugging Face's keys, and the formats of its tensors
/// as {"model.layers.0.mlp.up_proj.weight": "Q4_K"}. Throws InputError for an architecture that has
/// no family here.
struct GgufConfig {
  std::string config, formats;
};
[[nodiscard]] GgufConfig config_of_gguf(const GgufHeader& header, const std::string& file);

/// The header of a file. Throws InputError.
[[nodiscard]] GgufHeader read_gguf(const std::filesystem::path& path);

/// Bits an element of a type by its name ("Q4_K" -> 4.5), scales included; 0: unknown.
[[nodiscard]] double gguf_bits(std::string_view type);
[[nodiscard]] double gguf_bits(std::uint32_t type);

}  // namespace afford::config
