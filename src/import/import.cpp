#include "import/import.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "import/builder.hpp"
#include "text/date.hpp"
#include "text/name.hpp"
#include "text/number.hpp"
#include "text/suggest.hpp"

namespace afford::config {
namespace {

/// Mistral's own params.json has no model_type.
std::string model_type_of(Config& in) {
  constexpr std::string_view mistral = "mistral_params";
  if (!in.has("model_type") && in.has("dim") && in.has("n_layers")) {
    in.note_default("model_type", std::string(mistral), "the keys of Mistral's params.json");
    return std::string(mistral);
  }
  if (!in.has("model_type")) in.fail("model_type", "missing; it says how the layers are built");
  return in.text("model_type");
}

const Family& family_of(Config& in) {
  const std::string type = model_type_of(in);
  if (const Family* family = find_family(type)) {
    in.rename(names_of_keys(type));
    in.fill_in(class_defaults(type));
    if (family->model_type.starts_with(type)) {  // "gemma3" of the root stands for "gemma3_text"
      in.rename(names_of_keys(family->model_type));
      in.fill_in(class_defaults(family->model_type));
    }
    return *family;
  }
  if (const std::string_view why = why_refused(type); !why.empty())
    in.fail("model_type", fmt::format("'{}' is not counted: {}", type, why));
  const std::vector<std::string_view> types = model_types();
  in.fail("model_type",
          fmt::format("unknown value '{}'{}; import with --assume model_type=NAME to name a family "
                      "that is built alike",
                      type.substr(0, 60), suggestion(type.substr(0, 60), types)));
}

/// The largest context: what the positions were stretched to, or trained on.
void plan_context(Builder& b) {
  // It changes no count, so that two that disagree are no error.
  const std::string_view key =
      b.in.has("max_position_embeddings") ? "max_position_embeddings" : "max_seq_len";
  const json::Value* value = b.in.find(key);
  const auto tokens = value != nullptr ? parse_integer(value->text) : std::nullopt;
  if (!tokens || *tokens < 1 || *tokens > limits::tokens.most) return;
  b.out.shape.push_back({"max_context", fmt::format("{}", *tokens), std::string(key)});
}

void plan_shape(Builder& b) {
  b.hidden = b.in.integer("hidden_size", limits::width);
  // Nemotron-H's list of blocks stands for their number.
  const bool listed = !b.in.has("num_hidden_layers") && b.in.has("layers_block_type");
  b.layers = listed ? static_cast<std::int64_t>(b.in.texts("layers_block_type").size())
                    : b.in.integer("num_hidden_layers", limits::layers);
  b.out.layers_comment = fmt::format("num_hidden_layers {}", b.layers);
  if (b.in.has("remove_tail_layer")) {  // ERNIE's training config: the last ones stay out
    const std::int64_t tail = b.in.integer("remove_tail_layer", {0, b.layers - 1});
    b.layers -= tail;
    b.out.layers_comment += fmt::format(" less remove_tail_layer {}", tail);
  }
  const auto tie = b.in.any({"tie_word_embeddings", "tie_embedding", "use_embedding_sharing",
                             "share_input_output_layers"});
  const bool tied = b.in.flag(tie, b.family->tied, "the default of the family's config class");
  b.out.shape = {integer_field(b, "hidden", "hidden_size", limits::width),
                 integer_field(b, "vocab", "vocab_size", limits::vocab),
                 {"tied_embeddings", tied ? "true" : "false", std::string(tie)}};
  plan_context(b);
}

/// Modules of multi-token prediction; each is taken to be built like the last layer.
void plan_mtp(Builder& b) {
  constexpr yaml::Range modules{0, 16};
  // MiniMax-M3 states its modules, and how many of them a step runs.
  const auto other = b.in.any({"num_nextn_predict_layers", "mtp_num_hidden_layers"});
  const auto key = b.in.has("num_mtp_modules") ? std::string_view("num_mtp_modules") : other;
  b.in.set_aside("use_mtp");
  b.in.set_aside("mtp_transformer_layers");
  b.in.set_aside("mtp_share_layers");
  if (!b.in.has(key)) return;
  b.out.mtp_modules = b.in.integer(key, modules);
  b.out.mtp_comment = std::string(key);
  if (b.out.mtp_modules > 0)
    b.in.note_default("MTP layer", "as the last layer", "the config does not describe it");
}

std::string lower_name(std::string_view text) {
  constexpr size_t longest = 64;
  std::string name;
  for (const char c : text.substr(0, longest)) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    name += upper ? static_cast<char>(c - 'A' + 'a') : plain ? c : '-';
  }
  return name;
}

/// Every assumption stands in the file, so that it is not mistaken for the config.
void write_head(Builder& b, const ImportOptions& options) {
  Draft& out = b.out;
  if (!options.command.empty()) out.head.push_back("Imported: " + options.command);
  out.head.emplace_back("The comments give the key of the published config each value comes from.");
  for (const KeyNote& note : b.in.notes()) {
    if (note.kind == KeyNote::Kind::assumed)
      out.head.push_back(fmt::format("Assumed: {} = {}", note.key, note.value));
  }
  for (std::string& line : out.head) {
    std::replace_if(
        line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  }
}

void name_draft(Draft& out, const ImportOptions& options, const std::string& file) {
  out.name = options.name.empty() ? name_from(file) : options.name;
  out.title = options.title.empty() ? out.name : options.title;
  if (!is_name(out.name))
    throw UsageError(fmt::format("--name: {}, got '{}'", name_expected(out.name), out.name));
  out.config_what =
      options.source.empty()
          ? fmt::format("{}, a published config", std::filesystem::path(file).filename().string())
          : options.source;
  out.config_date = options.date.empty() ? today() : options.date;
  out.paper_precision = options.paper_precision;
  out.total = options.total;
  out.active = options.active;
  out.published_what = options.published_source;
  out.published_date = options.published_date.empty() ? out.config_date : options.published_date;
}

}  // namespace

Field integer_field(Builder& b, std::string key, std::string_view from, yaml::Range range) {
  return {std::move(key), fmt::format("{}", b.in.integer(from, range)),
          b.in.prefix() + std::string(b.in.spelled(from))};
}

std::int64_t integer_of(const Part& part, std::string_view key) {
  for (const Field& field : part.fields) {
    if (field.key == key) return parse_integer(field.value).value_or(0);
  }
  return 0;
}

void add_part(std::vector<Part>& parts, Part part) {
  const bool there = std::any_of(parts.begin(), parts.end(),
                                 [&](const Part& each) { return each.name == part.name; });
  if (!there) parts.push_back(std::move(part));
}

std::string name_from(const std::filesystem::path& path) {
  constexpr std::string_view cached = "models--", between = "--";
  for (const auto& component : std::filesystem::absolute(path)) {
    const std::string text = component.string();
    if (text.starts_with(cached)) return lower_name(text.substr(text.rfind(between) + 2));
  }
  if (path.stem() != "config" && path.stem() != "params") return lower_name(path.stem().string());
  const std::string folder = std::filesystem::absolute(path).parent_path().filename().string();
  return lower_name(folder.empty() ? "config" : folder);
}

Imported import_config(const json::Value& root, const ImportOptions& options) {
  Config in(root, options.assumptions);
  Draft draft;
  Builder b{.in = in, .out = draft, .beside = options.beside};
  name_draft(draft, options, in.file());
  b.family = &family_of(in);
  plan_shape(b);
  plan_layers(b);
  plan_towers(b);
  plan_precision(b);
  plan_mtp(b);
  in.finish();
  write_head(b, options);
  return {.yaml = to_yaml(draft), .notes = in.notes()};
}

Imported import_checkpoint(const Checkpoint& checkpoint, ImportOptions options) {
  if (options.name.empty()) options.name = checkpoint.name;
  if (checkpoint.beside) options.beside = &*checkpoint.beside;
  return import_config(checkpoint.config, options);
}

}  // namespace afford::config
