#include "import/disk_size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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

struct Element {
  std::string_view dtype;
  int bits;
};
// safetensors/src/tensor.rs, 2025-08. Another name says nothing about its width.
constexpr Element elements[] = {{"BOOL", 8},    {"U8", 8},   {"I8", 8},      {"I16", 16},
                                {"U16", 16},    {"I32", 32}, {"U32", 32},    {"I64", 64},
                                {"U64", 64},    {"F16", 16}, {"BF16", 16},   {"F32", 32},
                                {"F64", 64},    {"C64", 64}, {"F8_E4M3", 8}, {"F8_E5M2", 8},
                                {"F8_E8M0", 8}, {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6}};

/// A tensor of a header, with what may be said against it.
class Tensor {
 public:
  explicit Tensor(const json::Member& entry) : name_(entry.key), whole_(entry.value) {}

  /// Where its data ends.
  [[nodiscard]] double end() const {
    const json::Value& offsets = part("data_offsets");
    const bool pair = offsets.items.size() == 2;
    const auto start = pair ? whole(offsets.items.front()) : std::nullopt;
    const auto end = pair ? whole(offsets.items.back()) : std::nullopt;
    if (!start || !end || *start > *end)
      fail(offsets, "data_offsets: expected where its data starts and ends");
    if (const auto taken = bytes(); taken && *taken != static_cast<double>(*end - *start))
      fail(offsets, fmt::format("data_offsets: expected the {} bytes that its shape takes, got {}",
                                *taken, *end - *start));
    return static_cast<double>(*end);
  }

 private:
  static std::optional<std::int64_t> whole(const json::Value& value) {
    const auto number =
        value.kind == json::Value::Kind::number ? parse_integer(value.text) : std::nullopt;
    return number && *number >= 0 ? number : std::nullopt;
  }
  [[nodiscard]] const json::Value& part(std::string_view key) const {
    const json::Value* value = member(whole_, key);
    if (value == nullptr) fail(whole_, fmt::format("expected a tensor with {}", key));
    return *value;
  }
  /// By its shape, where its dtype has a known width.
  [[nodiscard]] std::optional<double> bytes() const {
    constexpr double bits_a_byte = 8;
    const json::Value &dtype = part("dtype"), &shape = part("shape");
    if (dtype.kind != json::Value::Kind::text) fail(dtype, "dtype: expected a name such as BF16");
    if (shape.kind != json::Value::Kind::list) fail(shape, "shape: expected a list of sizes");
    double count = 1;
    for (const json::Value& item : shape.items) {
      const auto size = whole(item);
      if (!size) fail(item, fmt::format("shape: expected whole sizes, got {}", describe(item)));
      count *= static_cast<double>(*size);
    }
    for (const Element& each : elements) {
      if (each.dtype == dtype.text) return std::ceil(count * each.bits / bits_a_byte);
    }
    return std::nullopt;
  }
  [[noreturn]] void fail(const json::Value& at, std::string_view why) const {
    throw InputError(at.place, fmt::format("'{}': {}", name_, why));
  }

  const std::string& name_;
  const json::Value& whole_;
};

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
    if (tensor.key != "__metadata__") end = std::max(end, Tensor(tensor).end());
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
