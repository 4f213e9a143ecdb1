#include "import/disk_size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>

#include "error.hpp"
#include "import/json.hpp"
#include "text/number.hpp"

namespace afford::config {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_header = 64ULL * 1024 * 1024;
constexpr int most_files = 1024;

std::optional<double> number(const json::Value* value) {
  if (value == nullptr || value->kind != json::Value::Kind::number) return std::nullopt;
  return parse_real(value->text);
}

std::optional<DiskSize> by_index(const fs::path& folder) {
  constexpr const char* name = "model.safetensors.index.json";
  std::error_code error;
  if (!fs::is_regular_file(folder / name, error)) return std::nullopt;
  const json::Value root = json::parse_file(folder / name);
  const json::Value* metadata = member(root, "metadata");
  const auto bytes = metadata == nullptr ? std::nullopt : number(member(*metadata, "total_size"));
  if (!bytes || *bytes <= 0) return std::nullopt;
  return DiskSize{*bytes, name};
}

/// The length that stands in front of a header, and the header.
std::string start_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(sizeof(std::uint64_t), '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  if (!stream || length > largest_header)
    throw InputError({path.string()}, "not a safetensors file: no header in front");
  bytes.resize(sizeof length + length);
  stream.read(bytes.data() + sizeof length, static_cast<std::streamsize>(length));
  if (!stream) throw InputError({path.string()}, "not a safetensors file: its header is cut short");
  return bytes;
}

}  // namespace

double safetensors_bytes(std::string_view bytes, const std::string& file) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length)
    throw InputError({file}, "not a safetensors file: no header in front");
  std::memcpy(&length, bytes.data(), sizeof length);
  bytes.remove_prefix(sizeof length);
  if (length > bytes.size())
    throw InputError({file}, "not a safetensors file: its header is cut short");
  double end = 0;
  const json::Value header = json::parse(bytes.substr(0, length), file);
  for (const json::Member& tensor : header.members) {
    const json::Value* offsets = member(tensor.value, "data_offsets");
    if (offsets == nullptr || offsets->items.size() != 2) continue;
    end = std::max(end, number(&offsets->items.back()).value_or(0));
  }
  return end;
}

std::optional<DiskSize> safetensors_size(const fs::path& folder) {
  if (auto size = by_index(folder)) return size;
  DiskSize size;
  int files = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".safetensors" || ++files > most_files) continue;
    size.bytes += safetensors_bytes(start_of(entry.path()), entry.path().string());
  }
  if (files == 0) return std::nullopt;
  size.from = fmt::format("{} safetensors header{}", files, files == 1 ? "" : "s");
  return size;
}

DiskSize gguf_size(const GgufHeader& header) {
  DiskSize size{.bytes = 0, .from = "the GGUF header"};
  constexpr double bits_a_byte = 8;
  for (const GgufTensor& tensor : header.tensors)
    size.bytes += tensor.elements * gguf_bits(tensor.type) / bits_a_byte;
  return size;
}

}  // namespace afford::config
