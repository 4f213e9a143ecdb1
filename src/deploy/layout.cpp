#include "deploy/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "error.hpp"
#include "layer/shape.hpp"
#include "text/number.hpp"

namespace afford {
namespace {

constexpr std::int64_t most_ways = 65536;
constexpr std::string_view value = "parallelism";

/// "tp8ep2" as ways by letters; 0 where a letter pair is not there.
struct Ways {
  std::int64_t tp = 0, dp = 0, ep = 0, pp = 0, cp = 0;
};

std::int64_t* slot_of(Ways& ways, std::string_view letters) {
  if (letters == "tp") return &ways.tp;
  if (letters == "dp") return &ways.dp;
  if (letters == "ep") return &ways.ep;
  if (letters == "pp") return &ways.pp;
  if (letters == "cp") return &ways.cp;
  return nullptr;
}

/// Nothing where the text is not letter pairs with numbers, each pair once.
std::optional<Ways> parse_ways(std::string_view text) {
  Ways ways;
  while (!text.empty()) {
    std::int64_t* slot = slot_of(ways, text.substr(0, 2));
    if (slot == nullptr || *slot != 0) return std::nullopt;
    const size_t end = std::min(text.find_first_not_of("0123456789", 2), text.size());
    const auto number = parse_integer(std::string(text.substr(2, end - 2)));
    if (!number || *number < 1 || *number > most_ways) return std::nullopt;
    *slot = *number;
    text.remove_prefix(end);
  }
  return ways;
}

[[noreturn]] void refuse(std::string_view text) {
  throw ValueError(
      std::string(value),
      fmt::format(": expected ATTENTION+EXPERTS such as tp8, ep32, tp8+ep8, dp8+tp8 or "
                  "tp2dp4+ep8, with ,cpN behind for a cache split by tokens and ,ppN for pipeline "
                  "stages, got '{}'",
                  text));
}

/// Attention of `tp` ways and `dp` replicas, either of which may be left out, on `size`
/// accelerators.
std::int64_t attention_ways(const Ways& attention, std::int64_t size, std::string_view text) {
  const std::int64_t given = attention.tp != 0 ? attention.tp : attention.dp;
  const bool both = attention.tp != 0 && attention.dp != 0;
  if (size % given != 0 || (both && attention.tp * attention.dp != size)) {
    throw ValueError(std::string(value),
                     fmt::format(": '{}' has attention on {} accelerators and experts on {}", text,
                                 both ? attention.tp * attention.dp : given, size));
  }
  return attention.tp != 0 ? attention.tp : size / attention.dp;
}

std::optional<Layout> one_part(const Ways& ways) {
  if (ways.tp != 0 && ways.ep + ways.dp == 0) return tensor_parallel(ways.tp);
  if (ways.ep != 0 && ways.tp + ways.dp == 0) return expert_parallel(ways.ep);
  return std::nullopt;
}

/// ATTENTION+EXPERTS in small letters; `text`: as it was written.
std::optional<Layout> stage_of(std::string_view stage, std::string_view text) {
  const size_t plus = stage.find('+');
  const auto first = parse_ways(stage.substr(0, plus));
  if (!first || first->pp + first->cp != 0) return std::nullopt;
  if (plus == std::string_view::npos) return one_part(*first);
  const auto experts = parse_ways(stage.substr(plus + 1));
  const bool apart = experts && experts->dp + experts->pp + experts->cp + first->ep == 0;
  if (!apart || first->tp + first->dp == 0 || experts->tp + experts->ep == 0) return std::nullopt;
  Layout layout{.attention_tp = 1,
                .expert_tp = std::max<std::int64_t>(experts->tp, 1),
                .expert_ep = std::max<std::int64_t>(experts->ep, 1)};
  layout.attention_tp = attention_ways(*first, layout.size(), text);
  return layout;
}

/// ",cp8", ",pp3" or both behind a stage. False: something else.
bool add_suffixes(Layout& layout, std::string_view suffixes) {
  while (!suffixes.empty()) {
    const size_t comma = std::min(suffixes.find(',', 1), suffixes.size());
    const auto ways = parse_ways(suffixes.substr(1, comma - 1));
    if (!ways || ways->tp + ways->dp + ways->ep != 0 || (ways->cp == 0) == (ways->pp == 0))
      return false;
    std::int64_t& slot = ways->cp != 0 ? layout.cp : layout.pp;
    if (slot != 1) return false;
    slot = std::max(ways->cp, ways->pp);
    suffixes.remove_prefix(comma);
  }
  return true;
}

/// What speaks against splitting the caches of a model by tokens.
std::optional<std::string> context_objection(const Layout& layout, const ModelSpec& model) {
  if (layout.cp == 1) return std::nullopt;
  for (const LayerShape& shape : layer_shapes(model)) {
    const auto heads = static_cast<std::int64_t>(shape.attention.kv_heads);
    if (shape.attention.core.state.elements > 0)
      return fmt::format("cp{} has no tokens to split in the state of {}", layout.cp, model.name);
    if (layout.cp * heads > layout.attention_tp) {
      return fmt::format("cp{} exceeds the copies of a cache: tp{} over the {} KV heads of {}",
                         layout.cp, layout.attention_tp, heads, model.name);
    }
  }
  return std::nullopt;
}

/// Whether ways lie in whole servers, or divide one.
bool is_placed(std::int64_t ways, const Pool& pool) {
  return pool.accelerators % ways == 0 || ways % pool.accelerators == 0;
}

}  // namespace

Layout parse_layout(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string_view whole = lower;
  const size_t comma = whole.find(',');
  const auto stage = stage_of(whole.substr(0, comma), text);
  if (!stage) refuse(text);
  Layout layout = *stage;
  if (comma != std::string_view::npos && !add_suffixes(layout, whole.substr(comma))) refuse(text);
  return layout;
}

std::string name_of(const Pool& pool) {
  return fmt::format("{}:{}x{}", pool.chip->name, pool.instances, pool.accelerators);
}

std::string name_of(const Layout& layout) {
  if (layout.pp > 1) {
    Layout stage = layout;
    stage.pp = 1;
    return fmt::format("{},PP{}", name_of(stage), layout.pp);
  }
  if (layout.cp > 1) {
    Layout uncut = layout;
    uncut.cp = 1;
    return fmt::format("{},CP{}", name_of(uncut), layout.cp);
  }
  if (layout == expert_parallel(layout.size())) return fmt::format("EP{}", layout.size());
  if (layout == tensor_parallel(layout.size())) return fmt::format("TP{}", layout.size());
  std::string name = layout.attention_tp > 1 ? fmt::format("TP{}", layout.attention_tp) : "";
  if (layout.replicas() > 1) name += fmt::format("DP{}", layout.replicas());
  name += '+';
  if (layout.expert_tp > 1) name += fmt::format("TP{}", layout.expert_tp);
  if (layout.expert_ep > 1) name += fmt::format("EP{}", layout.expert_ep);
  return name;
}

std::optional<std::string> objection(const Layout& layout, const Pool& pool) {
  if (pool.size() % layout.engine() != 0) {
    return fmt::format("{} takes {} accelerators, which do not divide the {} of the pool",
                       name_of(layout), layout.engine(), pool.size());
  }
  if (layout.attention_tp % layout.expert_tp != 0 && layout.expert_tp % layout.attention_tp != 0) {
    return fmt::format("of attention's tp{} and the experts' tp{} one must divide the other",
                       layout.attention_tp, layout.expert_tp);
  }
  if (layout.attention_tp % layout.cp != 0) {
    return fmt::format("cp{} does not divide attention's tp{}", layout.cp, layout.attention_tp);
  }
  for (const std::int64_t ways : {layout.attention_tp, layout.expert_tp}) {
    if (is_placed(ways, pool)) continue;
    return fmt::format("tp{} neither divides an instance of {} nor fills whole ones", ways,
                       pool.accelerators);
  }
  return std::nullopt;
}

void check_layout(const Layout& layout, const Pool& pool) {
  if (const auto complaint = objection(layout, pool))
    throw ValueError(std::string(value), ": " + *complaint);
}

std::optional<std::string> objection(const Layout& layout, const ModelSpec& model,
                                     std::int64_t redundant) {
  const std::string name = name_of(layout);
  if (layout.pp > layer_count(model)) {
    return fmt::format("{} has more stages than {} has layers ({})", name, model.name,
                       layer_count(model));
  }
  if (const std::string heads = undivided_heads(layer_shapes(model), layout.attention_tp);
      !heads.empty()) {
    return fmt::format("tp{} does not divide the {} of {}", layout.attention_tp, heads, model.name);
  }
  if (auto complaint = context_objection(layout, model)) return complaint;
  const std::int64_t experts = most_experts(model);
  if (experts == 0 || layout.expert_ep <= experts + redundant) return std::nullopt;
  return fmt::format("{} exceeds the {} experts of {}{}", name, experts, model.name,
                     redundant == 0 ? "" : fmt::format(" and {} copies", redundant));
}

FfnTraffic ffn_traffic(const Layout& layout, bool routed) {
  if (!routed) {
    if (layout.dense_tp() > layout.attention_tp) return FfnTraffic::gather;
    return layout.attention_tp > 1 ? FfnTraffic::all_reduce : FfnTraffic::none;
  }
  if (layout.replicas() == 1) return layout.size() > 1 ? FfnTraffic::all_reduce : FfnTraffic::none;
  return layout.expert_tp > 1 ? FfnTraffic::gather : FfnTraffic::exchange;
}

}  // namespace afford
