#include "load/format_reader.hpp"

#include "text/number.hpp"

namespace afford {

Dtype read_weight_format(const yaml::Section& in, std::string_view key) {
  const std::string text = in.text(key);
  if (!text.ends_with(stored_bits_unit)) return in.choice(key, dtype_names);
  const auto bits =
      parse_real(std::string_view(text).substr(0, text.size() - stored_bits_unit.size()));
  if (!bits || *bits < least_stored_bits || *bits > most_stored_bits) {
    in.fail(key, fmt::format("expected bits an element from {} to {}, such as 4.5bit, got '{}'",
                             least_stored_bits, most_stored_bits, text.substr(0, 40)));
  }
  return stored_bits(*bits);
}

}  // namespace afford
