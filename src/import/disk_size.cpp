#include "import/disk_size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "error.hpp"
#include "import/json.hpp"
#include "text/file.hpp"
#include "text/number.hpp"

namespace afford::config {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_header = 64ULL * 1024 * 1024;

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
  if (bytes && *bytes > 0) return DiskSize{*bytes, name};
  if (metadata == nullptr || member(*metadata, "total_size") == nullptr) return std::nullopt;
  throw InputError(member(*metadata, "total_size")->place,
                   "metadata.total_size: expected a number of bytes above zero");
}

/// The length that stands in front of a header, and the header; less where the file ends before.
std::string start_of(const fs::path& path) {
  std::uint64_t length = 0;
  std::string bytes = read_start(path, sizeof length);
  if (bytes.size() < sizeof length) return bytes;
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > largest_header)
    throw InputError({path.string()}, "not a safetensors file: no header in front");
  return read_start(path, sizeof length + length);
}

/// Where the data of a tensor ends.
double end_of(const json::Member& tensor) {
  const json::Value* offsets = member(tensor.value, "data_offsets");
  if (offsets == nullptr)
    throw InputError(tensor.value.place,
                     fmt::format("'{}': expected a tensor with data_offsets", tensor.key));
  const bool pair = offsets->items.size() == 2;
  const auto start = pair ? number(&offsets->items.front()) : std::nullopt;
  const auto end = pair ? number(&offsets->items.back()) : std::nullopt;
  if (!start || !end || *start < 0 || *start > *end)
    throw InputError(
        offsets->place,
        fmt::format("'{}': data_offsets: expected where its data starts and ends", tensor.key));
  return *end;
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
    if (tensor.key != "__metadata__") end = std::max(end, end_of(tensor));
  }
  return end;
}

std::optional<DiskSize> safetensors_size(const fs::path& folder) {
  if (auto size = by_index(folder)) return size;
  DiskSize size;
  int files = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".safetensors") continue;
    ++files;
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
