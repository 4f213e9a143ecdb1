// Which formats a checkpoint is stored and computed in.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "import/builder.hpp"
#include "import/formats.hpp"
#include "import/module_names.hpp"
#include "spec/attention/kinds.hpp"

namespace afford::config {
namespace {

/// Weights by the formats they are stored and computed in.
struct Mix {
  std::map<Dtype, double> weights, compute;

  void add(const Format& format, double count) {
    weights[format.weights] += count;
    compute[format.compute] += count;
  }
  /// The one format, or the bits an element takes on average.
  [[nodiscard]] Dtype stored() const {
    if (weights.empty()) return Dtype::bf16;
    if (weights.size() == 1) return weights.begin()->first;
    double bits = 0, count = 0;
    for (const auto& [dtype, each] : weights) {
      bits += bits_of(dtype) * each;
      count += each;
    }
    return count > 0 ? stored_bits(bits / count) : weights.begin()->first;
  }
  /// What most of the products run in.
  [[nodiscard]] Dtype computed() const {
    if (compute.empty()) return Dtype::bf16;
    return std::max_element(compute.begin(), compute.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
  }
};

/// The formats of one part's modules in the layers that `of` says it builds.
struct Asked {
  const std::vector<std::string>& of;
  const std::vector<std::int64_t>& numbers;  // of the layers in the checkpoint; empty: their own
  const std::string& part;
  bool routed = false;
};

/// Whether a rule decided on any of them.
bool add_modules(Statement& said, const Asked& asked, const std::vector<Module>& modules,
                 Mix& mix) {
  bool ruled = false;
  for (size_t layer = 0; layer < asked.of.size(); ++layer) {
    if (asked.of[layer] != asked.part) continue;
    const auto number =
        asked.numbers.empty() ? static_cast<std::int64_t>(layer) : asked.numbers[layer];
    for (const Module& module : modules) {
      Format format = said.experts_alone && !asked.routed ? Format{} : said.base;
      if (asked.routed && said.experts) format = *said.experts;
      bool decided = false;
      for (FormatRule& rule : said.rules) {
        const bool covered = rule.modules.cover(number, module);
        if (covered && !decided) {
          format = rule.format;
          decided = true;
        }
      }
      mix.add(format, module.weights);
      ruled |= decided;
    }
  }
  return ruled;
}

bool has_field(const Part& part, std::string_view key) {
  return std::any_of(part.fields.begin(), part.fields.end(),
                     [&](const Field& f) { return f.key == key; });
}

bool is_moe(const Part& part) { return part.fields.front().value == "moe"; }

/// DeepSeek-V4: FP4 experts, the rest as quantization_config says; unless that has a word of its
/// own for the experts.
void override_experts(Builder& b, Mix& experts, bool ruled) {
  if (!b.in.has("expert_dtype")) return;
  const std::string dtype = b.in.text("expert_dtype");
  if (dtype != "fp4" && dtype != "fp8") {
    b.in.fail("expert_dtype",
              fmt::format("unknown value '{}'; expected fp4 or fp8", dtype.substr(0, 40)));
  }
  if (dtype == "fp4" && !ruled) experts.weights = {{Dtype::mxfp4, 1}};
}

/// One for each kind of attention of the draft.
std::vector<Mix> attention_formats(Builder& b, Statement& said) {
  std::vector<Mix> result;
  for (const Part& part : b.out.attentions) {
    const Asked asked{b.out.attention_of, b.attention_numbers, part.name};
    (void)add_modules(said, asked, attention_modules(part, b.hidden), result.emplace_back());
  }
  return result;
}

struct FfnFormats {
  std::vector<Mix> own, shared;  // one for each part of the draft
};

FfnFormats ffn_formats(Builder& b, Statement& said) {
  FfnFormats result;
  for (const Part& part : b.out.ffns) {
    Mix &own = result.own.emplace_back(), &shared = result.shared.emplace_back();
    const bool moe = is_moe(part);
    const Asked asked{b.out.ffn_of, b.ffn_numbers, part.name, moe};
    const bool ruled = add_modules(
        said, asked, moe ? routed_modules(part, b.hidden) : dense_modules(part, b.hidden), own);
    if (!moe) continue;
    (void)add_modules(said, {b.out.ffn_of, b.ffn_numbers, part.name},
                      shared_modules(part, b.hidden), shared);
    override_experts(b, own, ruled);
  }
  return result;
}

/// The experts' format is the model's; without experts, that of the first FFN there is.
size_t main_ffn(const std::vector<Part>& ffns) {
  auto main = std::find_if(ffns.begin(), ffns.end(), is_moe);
  if (main == ffns.end()) {
    main = std::find_if(ffns.begin(), ffns.end(),
                        [](const Part& part) { return part.fields.front().value != "none"; });
  }
  return main == ffns.end() ? 0 : static_cast<size_t>(main - ffns.begin());
}

/// The kind of attention that most layers have; the first of several.
size_t main_attention(const Draft& draft) {
  size_t main = 0;
  std::ptrdiff_t most = 0;
  for (size_t i = 0; i < draft.attentions.size(); ++i) {
    const auto layers =
        std::count(draft.attention_of.begin(), draft.attention_of.end(), draft.attentions[i].name);
    if (layers > most) main = i;
    most = std::max(most, layers);
  }
  return main;
}

struct OwnKeys {
  std::string compute, from;  // the key of a product's format, and where formats are stated
};

/// What a part of the draft has in formats of its own.
void add_own_formats(Part& part, const Mix& own, const Mix& main, const OwnKeys& keys) {
  if (own.weights.empty()) return;
  if (own.stored() != main.stored())
    part.fields.push_back({"weights", name_of(own.stored()), keys.from});
  if (own.computed() != main.computed())
    part.fields.push_back({keys.compute, name_of(own.computed()), keys.from});
}

void refuse_unmatched(Builder& b, const Statement& said) {
  const std::int64_t layers =
      b.attention_numbers.empty() ? b.layers : b.attention_numbers.back() + 1;
  for (const FormatRule& rule : said.rules) {
    if (const auto entry = rule.modules.unmatched(layers)) {
      b.in.fail(said.key, fmt::format("'{}' names no module of this model; to count in BF16 "
                                      "instead, import with --assume {}=ignore",
                                      entry->substr(0, 80), said.key));
    }
  }
}

void plan_from_config(Builder& b) {
  Statement said = read_statement(b);
  const bool quantised = !said.key.empty();
  if (!quantised)
    b.in.note_default("quantization_config", "BF16", "the checkpoint is not quantised");
  const std::string stated = quantised ? said.key : "not quantised";
  const std::vector<Mix> attentions = attention_formats(b, said);
  const FfnFormats ffns = ffn_formats(b, said);
  refuse_unmatched(b, said);
  const Mix& attention = attentions[main_attention(b.out)];
  const Mix& main = ffns.own[main_ffn(b.out.ffns)];
  for (size_t i = 0; i < b.out.attentions.size(); ++i)
    add_own_formats(b.out.attentions[i], attentions[i], attention, {"linear_compute", said.key});
  for (size_t i = 0; i < b.out.ffns.size(); ++i) {
    Part& part = b.out.ffns[i];
    add_own_formats(part, ffns.own[i], main, {"ffn_compute", said.key});
    if (!has_field(part, "shared_experts")) continue;
    const Dtype own = ffns.own[i].stored();
    if (const Dtype shared = ffns.shared[i].stored(); shared != own)
      part.fields.push_back({"shared_weights", name_of(shared), said.key});
  }
  const bool plain_kv = said.kv == Dtype::bf16;
  b.in.note_default("KV cache", name_of(said.kv),
                    plain_kv ? "no KV format stated: the model's own" : said.key);
  b.out.precision = {{"attention_weights", name_of(attention.stored()), stated},
                     {"ffn_weights", name_of(main.stored()), stated},
                     {"kv", name_of(said.kv), plain_kv ? "not stated" : said.key},
                     {"attention_compute", "bf16", ""},
                     {"linear_compute", name_of(attention.computed()), stated},
                     {"ffn_compute", name_of(main.computed()), stated}};
  const bool tied = std::any_of(b.out.shape.begin(), b.out.shape.end(), [](const Field& field) {
    return field.key == "tied_embeddings" && field.value == "true";
  });
  if (said.head && *said.head != said.vocabulary && !tied)
    b.out.precision.push_back({"lm_head", name_of(*said.head), said.key});
  if (said.vocabulary != Dtype::bf16)
    b.out.precision.push_back({"vocabulary", name_of(said.vocabulary), said.key});
}

void plan_from_paper(Builder& b) {
  b.in.set_aside("quantization_config");
  b.in.set_aside("expert_dtype");
  for (const char* key : {"attention_weights", "ffn_weights", "kv", "attention_compute",
                          "linear_compute", "ffn_compute"}) {
    b.out.precision.push_back({key, "fp8", ""});
  }
  if (b.out.attentions.size() < 2) return;
  for (Part& part : b.out.attentions) {
    const std::string& kind = part.fields.front().value;
    const bool capped = has_field(part, "window") || has_field(part, "chunk");
    if ((kind == "gqa" && !capped) || kind == "mla") part.fields.push_back({"kv", "bf16", "paper"});
  }
}

}  // namespace

void plan_precision(Builder& b) {
  for (Part& part : b.out.attentions) {
    if (!is_recurrent(part.fields.front().value)) continue;
    const auto key = b.in.any({"mamba_ssm_dtype", "mamba_ssm_cache_dtype"});
    const bool stated = b.in.has(key);
    const std::string format = stated ? b.in.text(key) : "float32";
    if (format != "float32" && format != "bfloat16") {
      b.in.fail(key, fmt::format("expected float32 or bfloat16, got '{}'", format.substr(0, 40)));
    }
    part.fields.push_back(
        {"state", format == "float32" ? "fp32" : "bf16", stated ? std::string(key) : "not stated"});
    if (!stated) b.in.note_default("state format", "fp32", "recurrent states are kept in FP32");
  }
  if (b.out.paper_precision) {
    plan_from_paper(b);
  } else {
    plan_from_config(b);
  }
}

}  // namespace afford::config
