// Models that a search took apart (Nemotron NAS): each block says what attention and what FFN it
// kept.
#include <fmt/format.h>

#include <algorithm>

#include "import/builder.hpp"
#include "text/number.hpp"

namespace afford::config {
namespace {

constexpr std::string_view blocks_key = "block_configs";

/// null is as good as no member.
const json::Value* stated(const json::Value& object, std::string_view key) {
  const json::Value* value = json::member(object, key);
  return value != nullptr && value->kind != json::Value::Kind::null ? value : nullptr;
}

/// One half of a block ("attention", "ffn"), or nothing where the search took it out. A half that
/// became a plain linear map, and attention with a window or sinks, are refused.
const json::Value* half(const json::Value& block, std::string_view name) {
  const json::Value* object = stated(block, name);
  if (object == nullptr || object->kind != json::Value::Kind::object)
    throw InputError(block.place, fmt::format("block_configs: expected an object '{}'", name));
  for (const std::string_view refused :
       {"replace_with_linear", "sparsify", "window_length", "num_sink_tokens"}) {
    const json::Value* value = stated(*object, refused);
    if (value != nullptr && value->text != "false")
      throw InputError(value->place,
                       fmt::format("block_configs: a block with '{}' is not counted", refused));
  }
  const json::Value* none = stated(*object, "no_op");
  return none != nullptr && none->text == "true" ? nullptr : object;
}

double number(const json::Value& object, std::string_view key, double most) {
  const json::Value* value = stated(object, key);
  const auto parsed = value != nullptr ? parse_real(value->text) : std::nullopt;
  if (!parsed || !(*parsed > 0) || *parsed > most) {
    throw InputError(
        value != nullptr ? value->place : object.place,
        fmt::format("block_configs: expected a number '{}' above 0 and at most {}", key, most));
  }
  return *parsed;
}

/// Two thirds of ffn_mult hidden states, rounded up to 256 (configuration_decilm.py).
std::int64_t ffn_width(const json::Value& ffn, std::int64_t hidden) {
  constexpr double most_times = 64;
  constexpr std::int64_t multiple = 256;
  const double times = number(ffn, "ffn_mult", most_times);
  const auto width = static_cast<std::int64_t>(2 * times * static_cast<double>(hidden) / 3);
  return std::clamp((width + multiple - 1) / multiple * multiple, multiple, limits::width.most);
}

Part searched_attention(const json::Value& attention, const Part& full) {
  const std::int64_t heads = integer_of(full, "query_heads");
  const double group = number(attention, "n_heads_in_group", static_cast<double>(heads));
  const auto whole = static_cast<std::int64_t>(group);
  if (static_cast<double>(whole) != group || heads % whole != 0) {
    throw InputError(attention.place,
                     fmt::format("block_configs: num_attention_heads ({}) must be a multiple of "
                                 "n_heads_in_group",
                                 heads));
  }
  Part part = full;
  part.name = fmt::format("gqa-{}", heads / whole);
  for (Field& field : part.fields) {
    if (field.key == "kv_heads")
      field = {"kv_heads", fmt::format("{}", heads / whole), "query heads / n_heads_in_group"};
  }
  return part;
}

}  // namespace

/// An FFN behind a block without attention is one with the FFN before it: the sum of both widths,
/// with the same weights and the same products.
void plan_searched_blocks(Builder& b) {
  const json::Value* blocks = b.in.find(blocks_key);
  if (blocks == nullptr || blocks->kind != json::Value::Kind::list ||
      blocks->items.size() != static_cast<size_t>(b.layers))
    b.in.fail(blocks_key, fmt::format("expected a block for each of {} layers", b.layers));
  const Part full = gqa_part(b, b.in, "gqa");
  std::vector<std::int64_t> widths;
  for (size_t i = 0; i < blocks->items.size(); ++i) {
    const json::Value& block = blocks->items[i];
    if (const json::Value* attention = half(block, "attention")) {
      Part part = searched_attention(*attention, full);
      b.out.attention_of.push_back(part.name);
      add_part(b.out.attentions, std::move(part));
      b.attention_numbers.push_back(static_cast<std::int64_t>(i));
      b.ffn_numbers.push_back(static_cast<std::int64_t>(i));
      widths.push_back(0);
    }
    const json::Value* ffn = half(block, "ffn");
    if (ffn == nullptr) continue;
    if (widths.empty())
      throw InputError(block.place, "block_configs: the first block has no attention");
    widths.back() = std::min(widths.back() + ffn_width(*ffn, b.hidden), limits::width.most);
  }
  if (widths.empty()) b.in.fail(blocks_key, "no block has attention");
  for (const std::int64_t width : widths) {
    const std::string name = width == 0 ? "none" : fmt::format("dense-{}", width);
    b.out.ffn_of.push_back(name);
    add_part(b.out.ffns, width == 0 ? Part{name, {{"kind", "none", ""}}}
                                    : Part{name,
                                           {{"kind", "dense", ""},
                                            {"intermediate", fmt::format("{}", width),
                                             "2/3 ffn_mult x hidden_size"}}});
  }
  b.layers = static_cast<std::int64_t>(b.out.attention_of.size());
  b.out.layers_comment += fmt::format(", of which {} with attention", b.layers);
  for (const char* key : {"intermediate_size", "num_key_value_heads"}) b.in.set_aside(key);
}

}  // namespace afford::config
