// Statements that give each tensor its format: Ascend's ModelSlim, GGUF.
#include <fmt/format.h>

#include <map>

#include "import/formats.hpp"
#include "import/gguf.hpp"

namespace afford::config {
namespace {

/// The formats ModelSlim and GGUF have names for.
std::optional<Format> modelslim_format(const std::string& type) {
  constexpr std::pair<std::string_view, Format> known[] = {
      {"FLOAT", {}},
      {"W8A8", {Dtype::int8, Dtype::int8}},
      {"W8A8_DYNAMIC", {Dtype::int8, Dtype::int8}},
      {"W8A16", {Dtype::int8, Dtype::bf16}},
      {"W4A8", {Dtype::int4, Dtype::int8}},
      {"W4A8_DYNAMIC", {Dtype::int4, Dtype::int8}},
      {"W4A16", {Dtype::int4, Dtype::bf16}}};
  for (const auto& [name, format] : known) {
    if (name == type) return format;
  }
  return std::nullopt;
}

std::optional<Format> gguf_format(const std::string& type) {
  const double bits = gguf_bits(type);
  if (bits == 0) return std::nullopt;
  for (const Dtype plain : {Dtype::fp32, Dtype::bf16}) {
    if (bits == bits_of(plain)) return Format{.weights = plain};
  }
  return Format{.weights = type == "MXFP4" ? Dtype::mxfp4 : stored_bits(bits)};
}

/// The format of every tensor: {"model.layers.0.mlp.up_proj.weight": "W8A8"}.
void read_tensors(Config& in, std::optional<Format> (*format_of)(const std::string&),
                  Statement& out) {
  std::map<std::string, std::vector<std::string>> by_type;
  for (const std::string& key : in.keys()) {
    const std::string type = in.text_or(key, "");
    if (!key.ends_with(".weight")) continue;
    if (!format_of(type)) in.fail(key, fmt::format("unknown format '{}'", type.substr(0, 40)));
    by_type[type].push_back(key);
  }
  for (const auto& [type, modules] : by_type) {
    out.rules.push_back(
        {ModulePatterns(in, modules.front(), modules), format_of(type).value_or(Format{})});
  }
}

}  // namespace

void read_modelslim(Config& in, Statement& out) { read_tensors(in, modelslim_format, out); }

void read_gguf_formats(Config& in, Statement& out) { read_tensors(in, gguf_format, out); }

}  // namespace afford::config
