#include "import/gguf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <unordered_set>

#include "error.hpp"
#include "text/file.hpp"

namespace afford::config {
namespace {

constexpr size_t largest_gguf_header = 64 * 1024 * 1024;
constexpr std::uint64_t most_values = 100'000, most_tensors = 200'000, most_elements = 10'000'000;
constexpr size_t longest_text = 1024;  // of a key, a tensor's name or a value that is kept
constexpr std::uint32_t most_dimensions = 8;

/// Little-endian numbers and counted texts, never past the end.
class Reader {
 public:
  Reader(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string_view text() { return take(number<std::uint64_t>()); }
  std::string name() {
    const std::string_view whole = text();
    if (whole.size() > longest_text) fail("a name of more than 1024 bytes");
    return std::string(whole);
  }
  std::uint64_t count(std::uint64_t most, std::string_view what) {
    const auto count = number<std::uint64_t>();
    if (count > most) fail(fmt::format("{} {}, more than {}", count, what, most));
    return count;
  }
  [[noreturn]] void fail(const std::string& why) const {
    throw InputError({file_},
                     fmt::format("not a GGUF header we can read: {} at byte {}", why, at_));
  }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size() - at_) fail("it ends");
    const std::string_view taken = bytes_.substr(at_, size);
    at_ += size;
    return taken;
  }
  std::string_view bytes_;
  const std::string& file_;
  size_t at_ = 0;
};

enum class Type : std::uint32_t {
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  f32,
  boolean,
  text,
  list,
  u64,
  i64,
  f64
};

std::string scalar(Reader& in, Type type) {
  switch (type) {
    case Type::u8:
      return fmt::format("{}", in.number<std::uint8_t>());
    case Type::i8:
      return fmt::format("{}", in.number<std::int8_t>());
    case Type::u16:
      return fmt::format("{}", in.number<std::uint16_t>());
    case Type::i16:
      return fmt::format("{}", in.number<std::int16_t>());
    case Type::u32:
      return fmt::format("{}", in.number<std::uint32_t>());
    case Type::i32:
      return fmt::format("{}", in.number<std::int32_t>());
    case Type::u64:
      return fmt::format("{}", in.number<std::uint64_t>());
    case Type::i64:
      return fmt::format("{}", in.number<std::int64_t>());
    case Type::f32:
      return fmt::format("{}", in.number<float>());
    case Type::f64:
      return fmt::format("{}", in.number<double>());
    case Type::boolean:
      return in.number<std::uint8_t>() != 0 ? "true" : "false";
    case Type::text: {
      const std::string_view whole = in.text();
      return std::string(whole.substr(0, longest_text));
    }
    case Type::list:
      break;
  }
  in.fail(fmt::format("a value of type {}", static_cast<std::uint32_t>(type)));
}

void read_value(Reader& in, const std::string& key, GgufHeader& out) {
  const auto type = static_cast<Type>(in.number<std::uint32_t>());
  if (type != Type::list) {
    out.values.emplace_back(key, scalar(in, type));
    return;
  }
  const auto of = static_cast<Type>(in.number<std::uint32_t>());
  const std::uint64_t length = in.count(most_elements, "elements in one list");
  std::string first;
  bool same = length > 0;
  for (std::uint64_t i = 0; i < length; ++i) {
    std::string value = scalar(in, of);
    if (i == 0) first = value;
    same = same && value == first;
  }
  if (same) out.values.emplace_back(key, std::move(first));
  out.values.emplace_back(key + ".length", fmt::format("{}", length));
}

GgufTensor read_tensor(Reader& in) {
  GgufTensor tensor{.name = in.name(), .elements = 1};
  const auto dimensions = in.number<std::uint32_t>();
  if (dimensions > most_dimensions) in.fail(fmt::format("a tensor of {} dimensions", dimensions));
  for (std::uint32_t i = 0; i < dimensions; ++i)
    tensor.elements *= static_cast<double>(in.number<std::uint64_t>());
  tensor.type = in.number<std::uint32_t>();
  (void)in.number<std::uint64_t>();  // where its bytes are
  return tensor;
}

}  // namespace

GgufHeader parse_gguf(std::string_view bytes, const std::string& file) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::uint32_t magic = 0x46554747, oldest = 2, newest = 3;  // "GGUF"
  Reader in(bytes, file);
  if (in.number<std::uint32_t>() != magic) in.fail("it does not start with GGUF");
  const auto version = in.number<std::uint32_t>();
  if (version < oldest || version > newest) in.fail(fmt::format("version {}", version));
  const std::uint64_t tensors = in.count(most_tensors, "tensors");
  const std::uint64_t values = in.count(most_values, "values");
  GgufHeader header;
  std::unordered_set<std::string> keys, names;
  for (std::uint64_t i = 0; i < values; ++i) {
    const std::string key = in.name();
    if (!keys.insert(key).second) in.fail(fmt::format("the key '{}' a second time", key));
    read_value(in, key, header);
  }
  for (std::uint64_t i = 0; i < tensors; ++i) {
    header.tensors.push_back(read_tensor(in));
    const std::string& name = header.tensors.back().name;
    if (!names.insert(name).second) in.fail(fmt::format("the tensor '{}' a second time", name));
  }
  return header;
}

GgufHeader read_gguf(const std::filesystem::path& path) {
  return parse_gguf(read_start(path, largest_gguf_header), path.string());
}

}  // namespace afford::config
