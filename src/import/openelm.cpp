// OpenELM: each layer has heads and an FFN width of its own (arXiv 2404.14619, Section 2.1).
#include <fmt/format.h>

#include <algorithm>

#include "import/builder.hpp"
#include "text/number.hpp"

namespace afford::config {
namespace {

constexpr std::string_view heads_key = "num_query_heads", kv_key = "num_kv_heads",
                           widths_key = "ffn_multipliers";

std::vector<std::int64_t> for_each_layer(Builder& b, std::string_view key) {
  auto values = b.in.integers(key, limits::heads);
  if (values.size() != static_cast<size_t>(b.layers))
    b.in.fail(key, fmt::format("expected one entry for each of {} layers, got {}", b.layers,
                               values.size()));
  return values;
}

/// The nearest multiple of `divisor`, not more than a tenth below (make_divisible of the model's
/// own code).
std::int64_t divisible(double value, std::int64_t divisor) {
  const double step = static_cast<double>(divisor);
  const auto steps = static_cast<std::int64_t>((value + step / 2) / step);
  const std::int64_t nearest = std::max<std::int64_t>(steps, 1) * divisor;
  constexpr double least_share = 0.9;
  return static_cast<double>(nearest) < least_share * value ? nearest + divisor : nearest;
}

}  // namespace

void plan_openelm(Builder& b) {
  const auto heads = for_each_layer(b, heads_key), kv_heads = for_each_layer(b, kv_key);
  const Field dim = integer_field(b, "head_dim", "head_dim", limits::head_dim);
  for (size_t i = 0; i < heads.size(); ++i) {
    if (heads[i] % kv_heads[i] != 0)
      b.in.fail(kv_key, fmt::format("layer {}: {} query heads must be a multiple of it, got {}", i,
                                    heads[i], kv_heads[i]));
    Part part{fmt::format("gqa-{}-{}", heads[i], kv_heads[i]), {{"kind", "gqa", ""}}};
    part.fields.push_back({"query_heads", fmt::format("{}", heads[i]), std::string(heads_key)});
    part.fields.push_back({"kv_heads", fmt::format("{}", kv_heads[i]), std::string(kv_key)});
    part.fields.push_back(dim);
    b.out.attention_of.push_back(part.name);
    add_part(b.out.attentions, std::move(part));
  }
  for (const char* derived : {"num_gqa_groups", "qkv_multipliers"}) b.in.set_aside(derived);
}

void plan_openelm_ffn(Builder& b) {
  constexpr double most_times = 64;
  const std::int64_t divisor = b.in.integer("ffn_dim_divisor", limits::width);
  if (!b.in.flag("ffn_with_glu", true, "OpenELMConfig"))
    b.in.fail("ffn_with_glu", "only an FFN with a gate is understood");
  const json::Value* multipliers = b.in.find(widths_key);
  if (multipliers == nullptr || multipliers->items.size() != static_cast<size_t>(b.layers))
    b.in.fail(widths_key, fmt::format("expected a number for each of {} layers", b.layers));
  for (const json::Value& each : multipliers->items) {
    const auto times = parse_real(each.text);
    if (!times || !(*times > 0) || *times > most_times)
      throw InputError(each.place, fmt::format("{}: expected a number above 0 and at most {}",
                                               widths_key, most_times));
    const std::int64_t width =
        std::min(divisible(*times * static_cast<double>(b.hidden), divisor), limits::width.most);
    Part part{fmt::format("dense-{}", width),
              {{"kind", "dense", ""},
               {"intermediate", fmt::format("{}", width),
                "ffn_multipliers x model_dim, in steps of ffn_dim_divisor"}}};
    b.out.ffn_of.push_back(part.name);
    add_part(b.out.ffns, std::move(part));
  }
}

}  // namespace afford::config
