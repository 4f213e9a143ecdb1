#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "error.hpp"
#include "pipeline.hpp"
#include "text/number.hpp"

namespace afford::calibrate {
namespace {

std::vector<int> gpus_from(int first, int count) {
  std::vector<int> gpus(static_cast<size_t>(count));
  std::iota(gpus.begin(), gpus.end(), first);
  return gpus;
}

/// The number that `text` is, from 1 to most_targets; 0: it is none.
int small_count(std::string_view text) {
  if (text.size() != 1 || text[0] < '1' || text[0] > '0' + most_targets) return 0;
  return text[0] - '0';
}

}  // namespace

int Layout::gpus() const { return 1 + std::max(attention.back(), ffn.back()); }

Layout parse_layout(const std::string& name) {
  Layout layout{.name = name};
  if (name.size() == 3 && (name.starts_with("ep") || name.starts_with("tp"))) {
    if (const int count = small_count(name.substr(2)); count > 0) {
      layout.attention = layout.ffn = gpus_from(0, count);
      layout.tensor = name.starts_with("tp");
      return layout;
    }
  }
  constexpr std::string_view cut = "-tp";
  const bool tensor = name.size() == 4 + cut.size() && name.ends_with(cut);
  if ((tensor || name.size() == 4) && name[1] == 'a' && name[3] == 'f') {
    const int attention = small_count(name.substr(0, 1)), ffn = small_count(name.substr(2, 1));
    if (attention > 0 && ffn > 0) {
      layout.attention = gpus_from(0, attention);
      layout.ffn = gpus_from(attention, ffn);
      layout.tensor = tensor;
      return layout;
    }
  }
  throw UsageError(
      fmt::format("--layouts: '{}' is none; expected NaMf (attention on N GPUs, FFN on M others, "
                  "experts spread "
                  "over them), NaMf-tp (each expert cut), epN or tpN",
                  name));
}

}  // namespace afford::calibrate
