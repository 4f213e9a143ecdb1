#pragma once
// What a fuzzer may throw at the readers of checkpoints: headers of GGUF and safetensors files.

#include <string>
#include <string_view>

#include "error.hpp"
#include "import/disk_size.hpp"
#include "import/gguf.hpp"
#include "import/import.hpp"

namespace afford::fuzz {

/// A header ends in a config that imports, or in an error of ours.
inline void read_checkpoint_headers(std::string_view bytes) {
  try {
    const config::GgufConfig gguf =
        config::config_of_gguf(config::parse_gguf(bytes, "fuzz.gguf"), "fuzz.gguf");
    const config::Beside beside{"fuzz.gguf", "gguf", json::parse(gguf.formats, "fuzz.gguf")};
    (void)config::import_config(json::parse(gguf.config, "fuzz.gguf"),
                                {.name = "fuzz", .date = "2025-11", .beside = &beside});
  } catch (const InputError&) {
  } catch (const UsageError&) {
  }
  try {
    (void)config::safetensors_bytes(bytes, "fuzz.safetensors");
  } catch (const InputError&) {
  }
}

}  // namespace afford::fuzz
