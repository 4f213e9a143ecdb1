// Models whose layers override keys of the config (`per_layer_config`, transformers 5): layer by
// layer, what the family builds with that layer's overrides.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "import/builder.hpp"
#include "import/keys.hpp"
#include "text/number.hpp"

namespace afford::config {
namespace {

constexpr std::string_view overrides_key = "per_layer_config", skip_key = "skip";
using Overrides = std::vector<const json::Value*>;  // of each layer; null: none

/// {"05": {"head_dim": 512}}: numbers of layers, padded with zeros.
Overrides read_overrides(Builder& b) {
  const json::Value& all = *b.in.find(overrides_key);
  if (all.kind != json::Value::Kind::object)
    b.in.fail(overrides_key, fmt::format("expected an object, got {}", json::describe(all)));
  Overrides result(static_cast<size_t>(b.layers), nullptr);
  for (const json::Member& each : all.members) {
    const size_t digit = std::min(each.key.find_first_not_of('0'), each.key.size() - 1);
    const auto layer = each.key.empty() ? std::nullopt : parse_integer(each.key.substr(digit));
    if (!layer || *layer < 0 || *layer >= b.layers) {
      throw InputError(each.place,
                       fmt::format("{}: expected layers from 0 to {}, got '{}'", overrides_key,
                                   b.layers - 1, each.key.substr(0, 40)));
    }
    if (each.value.kind != json::Value::Kind::object) {
      throw InputError(each.value.place, fmt::format("{}: expected an object of overrides, got {}",
                                                     overrides_key, json::describe(each.value)));
    }
    if (!each.value.members.empty()) result[static_cast<size_t>(*layer)] = &each.value;
  }
  return result;
}

/// Whether the layer goes without its FFN. One without attention is no layer of ours.
bool skips_ffn(const json::Value& overrides) {
  const json::Value* skip = json::member(overrides, skip_key);
  if (skip == nullptr || skip->kind == json::Value::Kind::null) return false;
  for (const json::Value& item : skip->items) {
    if (item.text == "mlp") continue;
    throw InputError(item.place, fmt::format("{}: a layer that skips {} is not counted",
                                             overrides_key, json::describe(item)));
  }
  return !skip->items.empty();
}

bool alike(const Part& a, const Part& b) {
  return a.beside_mlp == b.beside_mlp &&
         std::equal(
             a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(),
             [](const Field& x, const Field& y) { return x.key == y.key && x.value == y.value; });
}

/// The name of the part among `parts`, where it may have to take a new one.
std::string keep(std::vector<Part>& parts, Part part) {
  const std::string name = part.name;
  for (int copy = 2;; ++copy) {
    const auto same = std::find_if(parts.begin(), parts.end(),
                                   [&](const Part& each) { return each.name == part.name; });
    if (same == parts.end()) break;
    if (alike(*same, part)) return part.name;
    part.name = fmt::format("{}-{}", name, copy);
  }
  parts.push_back(std::move(part));
  return parts.back().name;
}

const Part& named(const std::vector<Part>& parts, const std::string& name) {
  return *std::find_if(parts.begin(), parts.end(),
                       [&](const Part& each) { return each.name == name; });
}

/// What the family builds where every layer has these overrides.
Draft built_with(const Builder& b, const json::Value* overrides) {
  Draft draft;
  Builder each = b;
  Builder one{.in = b.in,
              .out = draft,
              .beside = b.beside,
              .family = b.family,
              .hidden = each.hidden,
              .layers = each.layers};
  b.in.override_with(overrides);
  b.family->attention(one);
  b.family->ffn(one);
  b.in.override_with(nullptr);
  if (one.layers != b.layers || !one.attention_numbers.empty() || !one.ffn_numbers.empty())
    b.in.fail(overrides_key, "this family's blocks are no layers of ours; it is not understood");
  return draft;
}

/// A key that nobody asked for may matter in a layer as it does in the model.
void refuse_unknown(Builder& b, const json::Value& overrides) {
  for (const json::Member& each : overrides.members) {
    if (each.key == skip_key || b.in.knows(each.key) || does_not_matter(each.key)) continue;
    throw InputError(each.place,
                     fmt::format("{}: '{}' ({}) may change the count and is not understood; to "
                                 "count without any override, import with --assume {}=ignore",
                                 overrides_key, each.key, shown(each.value), overrides_key));
  }
}

}  // namespace

void plan_layers(Builder& b) {
  if (!b.in.has(overrides_key)) {
    b.family->attention(b);
    b.family->ffn(b);
    return;
  }
  const Overrides overrides = read_overrides(b);
  std::vector<std::pair<const json::Value*, Draft>> drafts;
  for (const json::Value* each : overrides) {
    const auto known = [&](const auto& draft) {
      return draft.first == each ||
             (each != nullptr && draft.first != nullptr && json::same(*draft.first, *each));
    };
    if (std::none_of(drafts.begin(), drafts.end(), known))
      drafts.emplace_back(each, built_with(b, each));
    if (each != nullptr) refuse_unknown(b, *each);
  }
  for (size_t i = 0; i < overrides.size(); ++i) {
    const json::Value* own = overrides[i];
    const Draft& draft = std::find_if(drafts.begin(), drafts.end(), [&](const auto& each) {
                           return each.first == own || (own != nullptr && each.first != nullptr &&
                                                        json::same(*each.first, *own));
                         })->second;
    const bool no_ffn = own != nullptr && skips_ffn(*own);
    b.out.attention_of.push_back(
        keep(b.out.attentions, named(draft.attentions, draft.attention_of[i])));
    b.out.ffn_of.push_back(keep(b.out.ffns, no_ffn ? Part{"none", {{"kind", "none", ""}}}
                                                   : named(draft.ffns, draft.ffn_of[i])));
  }
  b.out.held = drafts.front().second.held;
  b.in.note_default(
      overrides_key,
      fmt::format("{} of {} layers",
                  overrides.size() -
                      static_cast<size_t>(std::count(overrides.begin(), overrides.end(), nullptr)),
                  b.layers),
      "keys of their own");
}

}  // namespace afford::config
