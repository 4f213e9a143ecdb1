#include <fmt/format.h>

#include <algorithm>

#include "load/attention_reader.hpp"
#include "load/ffn_reader.hpp"
#include "load/format_reader.hpp"
#include "load/readers.hpp"
#include "load/source_reader.hpp"
#include "spec/limits.hpp"
#include "text/suggest.hpp"

namespace afford {
namespace {

using yaml::Section;

template <class Spec>
std::optional<size_t> index_of(const std::vector<Spec>& specs, std::string_view name) {
  for (size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].name == name) return i;
  }
  return std::nullopt;
}

template <class Spec>
std::string unknown_part(const std::vector<Spec>& specs, std::string_view what,
                         std::string_view name) {
  std::vector<std::string> names;
  for (const Spec& spec : specs) names.push_back(spec.name);
  return fmt::format("no {} named '{}'{}", what, name, suggestion(name, names));
}

/// "mfa/moe": the attention and the FFN of one layer.
LayerKind read_layer(const ModelSpec& model, const std::string& text, const Place& place) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) {
    throw InputError(place,
                     fmt::format("expected a layer as attention/ffn, such as '{}/{}', got '{}'",
                                 model.attentions.front().name, model.ffns.front().name, text));
  }
  const auto attention = index_of(model.attentions, text.substr(0, slash));
  if (!attention)
    throw InputError(place, unknown_part(model.attentions, "attention", text.substr(0, slash)));
  const auto ffn = index_of(model.ffns, text.substr(slash + 1));
  if (!ffn) throw InputError(place, unknown_part(model.ffns, "ffn", text.substr(slash + 1)));
  return {.attention = *attention, .ffn = *ffn, .layers = 1};
}

void add_layers(std::vector<LayerKind>& kinds, const LayerKind& more) {
  for (LayerKind& kind : kinds) {
    if (kind.attention == more.attention && kind.ffn == more.ffn) {
      kind.layers += more.layers;
      return;
    }
  }
  kinds.push_back(more);
}

void read_layers(const Section& root, ModelSpec& model) {
  const Section layers = root.child("layers", {"source", "stack"});
  model.layers_source = read_source(layers, model.sources);
  for (const yaml::Node& item : layers.value("stack", yaml::Node::Kind::sequence).items) {
    const Section group = layers.element("stack", item, {"repeat", "pattern"});
    const std::int64_t repeat = group.integer("repeat", limits::layers);
    for (const yaml::Node& layer : group.value("pattern", yaml::Node::Kind::sequence).items) {
      const Place place{model.file, layer.line, layer.column};
      LayerKind kind = read_layer(model, layer.text, place);
      kind.layers = repeat;
      add_layers(model.layer_kinds, kind);
      if (layer_count(model) > limits::layers.most) {
        throw InputError(place, fmt::format("more than {} layers", limits::layers.most));
      }
    }
  }
  if (model.layer_kinds.empty()) layers.fail("stack", "expected at least one layer, got none");
}

Precision read_precision(const Section& root, const ModelSpec& model) {
  const Section in = root.child(
      "precision", {"source", "attention_weights", "ffn_weights", "kv", "attention_compute",
                    "linear_compute", "ffn_compute", "vocabulary", "lm_head"});
  if (in.has("lm_head") && model.tied_embeddings)
    in.fail("lm_head", "the embedding is tied to it, and 'vocabulary' is the format of both");
  return {.attention_weights = read_weight_format(in, "attention_weights"),
          .ffn_weights = read_weight_format(in, "ffn_weights"),
          .kv = in.choice("kv", dtype_names),
          .attention_compute = in.choice("attention_compute", compute_dtype_names),
          .linear_compute = in.choice("linear_compute", compute_dtype_names),
          .ffn_compute = in.choice("ffn_compute", compute_dtype_names),
          .vocabulary = in.has("vocabulary") ? read_weight_format(in, "vocabulary") : Dtype::bf16,
          .lm_head =
              in.has("lm_head") ? std::optional(read_weight_format(in, "lm_head")) : std::nullopt,
          .source = read_source(in, model.sources)};
}

/// Towers and tables: their parameters, in BF16 unless they say otherwise.
void read_held(const Section& root, ModelSpec& model) {
  const Section list = root.names("held");
  for (const std::string& name : list.keys()) {
    const Section in = list.child(name, {"source", "params", "weights"});
    model.held.push_back(
        {.name = name,
         .params = in.real("params", 1, limits::held_params),
         .weights = in.has("weights") ? read_weight_format(in, "weights") : Dtype::bf16,
         .source = read_source(in, model.sources)});
  }
}

PublishedCount read_published(const Section& published, std::string_view key,
                              const Sources& sources) {
  const Section in = published.child(key, {"source", "value", "printed_to", "counts", "cut"});
  PublishedCount count{.value = in.real("value", 1, 1e15),
                       .printed_to = in.real("printed_to", 1, 1e15),
                       .cut = in.has("cut") && in.boolean("cut"),
                       .embedding = false,
                       .lm_head = false,
                       .source = read_source(in, sources)};
  constexpr std::string_view parts[] = {"embedding", "lm_head"};
  for (const std::string& part : in.texts("counts")) {
    if (part == parts[0]) {
      count.embedding = true;
    } else if (part == parts[1]) {
      count.lm_head = true;
    } else {
      in.fail("counts", fmt::format("unknown part '{}'{}", part, suggestion(part, parts)));
    }
  }
  return count;
}

/// Beyond what the last printed digit of the total leaves open.
void refuse_more_active_than_all(const Section& published, const ModelSpec& model) {
  const PublishedCount& total = *model.total_params;
  const double rounding = total.printed_to * (total.cut ? 1 : 0.5);
  if (model.active_params->value <= total.value + rounding) return;
  published.names("active_params")
      .fail("value", fmt::format("expected at most the {:g} of total_params, got {:g}", total.value,
                                 model.active_params->value));
}

void read_parts(const Section& root, ModelSpec& model) {
  const Section attentions = root.names("attention");
  for (const std::string& name : attentions.keys()) {
    model.attentions.push_back(read_attention(attentions, name, model.sources));
  }
  const Section ffns = root.names("ffn");
  for (const std::string& name : ffns.keys())
    model.ffns.push_back(read_ffn(ffns, name, model.sources));
  if (model.attentions.empty())
    root.fail("attention", "expected at least one attention kind, got none");
  if (model.ffns.empty()) root.fail("ffn", "expected at least one FFN kind, got none");
}

/// A part no layer uses is a slip in the stack, and would show up nowhere else.
void refuse_unused_parts(const Section& root, const ModelSpec& model) {
  std::vector<LayerKind> kinds = model.layer_kinds;
  if (model.mtp) kinds.push_back(*model.mtp);
  for (size_t i = 0; i < model.attentions.size(); ++i) {
    if (std::none_of(kinds.begin(), kinds.end(),
                     [&](const LayerKind& kind) { return kind.attention == i; })) {
      root.fail("attention",
                fmt::format("no layer of the stack uses '{}'", model.attentions[i].name));
    }
  }
  for (size_t i = 0; i < model.ffns.size(); ++i) {
    if (std::none_of(kinds.begin(), kinds.end(),
                     [&](const LayerKind& kind) { return kind.ffn == i; })) {
      root.fail("ffn", fmt::format("no layer of the stack uses '{}'", model.ffns[i].name));
    }
  }
}

/// As many sets as layers share nothing; and sets are counted over one kind of layer.
template <class Spec>
void check_weight_sets(const Section& list, const std::vector<Spec>& specs,
                       const std::vector<LayerKind>& kinds, size_t LayerKind::*part) {
  for (size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].weight_sets == 0) continue;
    const auto of = [&](const LayerKind& kind) { return kind.*part == i; };
    const auto kind = std::find_if(kinds.begin(), kinds.end(), of);
    const bool once = std::count_if(kinds.begin(), kinds.end(), of) == 1;
    if (once && specs[i].weight_sets < kind->layers) continue;
    list.names(specs[i].name)
        .fail(keys::weight_sets,
              once ? fmt::format("expected fewer than its {} layers, which share the sets, got {}",
                                 kind->layers, specs[i].weight_sets)
                   : "only for what stands in one kind of layer");
  }
}

}  // namespace

ModelSpec read_model(const yaml::Node& node, const std::string& file) {
  const Section root =
      Section::root(file, node, "model",
                    {"schema", "name", "title", "aliases", "sources", "shape", "attention", "ffn",
                     "layers", "precision", "held", "mtp", "published"});
  (void)root.integer("schema", {1, 1});
  ModelSpec model;
  model.file = file;
  model.name = root.name("name");
  model.title = root.text("title");
  if (root.has("aliases")) model.aliases = root.texts("aliases");
  model.sources = read_sources(root);
  const Section shape =
      root.child("shape", {"source", "hidden", "vocab", "tied_embeddings", "max_context"});
  model.shape_source = read_source(shape, model.sources);
  model.hidden = shape.integer("hidden", limits::width);
  model.vocab = shape.integer("vocab", limits::vocab);
  model.tied_embeddings = shape.boolean("tied_embeddings");
  if (shape.has("max_context")) model.max_context = shape.integer("max_context", limits::tokens);
  read_parts(root, model);
  read_layers(root, model);
  model.precision = read_precision(root, model);
  if (root.has("held")) read_held(root, model);
  if (root.has("mtp")) {
    const Section mtp = root.child("mtp", {"source", "modules", "layer"});
    (void)read_source(mtp, model.sources);
    model.mtp = read_layer(model, mtp.text("layer"), mtp.place("layer"));
    model.mtp->layers = mtp.integer("modules", {1, 16});
  }
  if (root.has("published")) {
    const Section published = root.child("published", {"total_params", "active_params"});
    model.total_params = read_published(published, "total_params", model.sources);
    model.active_params = read_published(published, "active_params", model.sources);
    refuse_more_active_than_all(published, model);
  }
  refuse_unused_parts(root, model);
  check_weight_sets(root.names("attention"), model.attentions, model.layer_kinds,
                    &LayerKind::attention);
  check_weight_sets(root.names("ffn"), model.ffns, model.layer_kinds, &LayerKind::ffn);
  return model;
}

}  // namespace afford
