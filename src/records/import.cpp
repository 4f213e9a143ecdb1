#include "records/import.hpp"

#include <fmt/format.h>

#include "count/cache.hpp"
#include "count/decode.hpp"
#include "count/ffn.hpp"
#include "count/params.hpp"
#include "report/table.hpp"
#include "text/number.hpp"
#include "text/quantity.hpp"

namespace afford {
namespace {

std::string keys_text(const std::vector<config::KeyNote>& notes, config::KeyNote::Kind kind,
                      bool values) {
  std::string text;
  for (const config::KeyNote& note : notes) {
    if (note.kind != kind) continue;
    text += (text.empty() ? "" : ", ") + note.key;
    if (values) text += " = " + note.value;
    if (!note.why.empty() && note.why != "--assume") text += " (" + note.why + ")";
  }
  return text;
}

/// " (full bf16)": the kinds whose weights have a format of their own.
template <class Spec>
std::string own_weights(const std::vector<Spec>& specs) {
  std::string text;
  for (const Spec& spec : specs) {
    if (spec.weights)
      text += fmt::format("{}{} {}", text.empty() ? " (" : ", ", spec.name, name_of(*spec.weights));
  }
  return text.empty() ? "" : text + ")";
}

}  // namespace

std::string import_text(const ImportReport& report) {
  using Kind = config::KeyNote::Kind;
  const ModelSpec& model = report.model;
  const std::int64_t context = report.context;
  const double tokens = static_cast<double>(context);
  const DecodeTerms terms = decode_terms(model, Convention::exact, {});
  const CacheSize cache = cache_size(model, tokens);
  std::string out =
      fmt::format("{}: {} layers, {} parameters, {} active a token ({} without the embedding)\n",
                  model.name, layer_count(model), shown(Cell(total_params(model)), Show::params),
                  shown(Cell(active_params(model)), Show::params),
                  shown(Cell(active_params(model, {.embedding = false})), Show::params));
  for (const LayerKind& kind : model.layer_kinds) {
    out += fmt::format("  {} layers of {}; {}\n", kind.layers,
                       describe(model.attentions[kind.attention].shape),
                       describe(model.ffns[kind.ffn].shape));
  }
  out += fmt::format(
      "  a sequence of {} tokens keeps {} of KV, {:.5g} bytes a token, and {} of state\n",
      token_count_text(context), human(cache.context), (cache.context / tokens).base(),
      human(cache.recurrent));
  out += fmt::format(
      "  a decoded token there moves {:.4g} bytes of KV and state; attention {:.4g} FLOP/B\n",
      count_at(terms, tokens).kv.base(), attention_intensity(terms, tokens).base());
  const Precision& p = model.precision;
  out += fmt::format("  formats: attention weights {}{}, FFN weights {}{}, KV {}\n",
                     name_of(p.attention_weights), own_weights(model.attentions),
                     name_of(p.ffn_weights), own_weights(model.ffns), name_of(p.kv));
  if (report.disk) {
    const Bytes counted = stored_weights(model), stored(report.disk->bytes);
    out += fmt::format("  weights: {} counted, {} on disk by {}: {:.1f} %\n", human(counted),
                       human(stored), report.disk->from, 100 * (counted / stored));
  }
  if (model.max_context > 0 && context > model.max_context)
    out += fmt::format("  beyond its {} positions\n", token_count_text(model.max_context));
  const std::pair<std::string_view, Kind> groups[] = {{"used", Kind::used},
                                                      {"defaulted", Kind::defaulted},
                                                      {"assumed", Kind::assumed},
                                                      {"without effect", Kind::ignored},
                                                      {"not understood", Kind::not_understood}};
  for (const auto& [heading, kind] : groups) {
    const std::string keys = keys_text(report.notes, kind, kind != Kind::ignored);
    if (!keys.empty()) out += fmt::format("  {}: {}\n", heading, keys);
  }
  return out;
}

}  // namespace afford
