#include "import/patterns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>

#include "text/number.hpp"

namespace afford::config {
namespace {

constexpr size_t longest_expression = 256, most_expressions = 64, most_numbered = 512;
constexpr std::string_view digits = "0123456789";

/// What may stand in front of the layers of a language model.
constexpr std::string_view prefixes[] = {"model.layers.", "model.language_model.layers.",
                                         "language_model.model.layers.", "layers.",
                                         "backbone.layers."};

/// Parts of a model whose formats change no count: towers, routers, norms, the vocabulary, and the
/// layers behind the last one.
constexpr std::string_view others[] = {
    "visual",      "vision",  "audio",       "image",      "mtp",        "nextn",   "eh_proj",
    "embed",       "lm_head", "norm",        "router",     "rotary",     "bias",    "conv1d",
    "projector",   "aligner", "connector",   "adapter",    "adaptor",    "talker",  "code2wav",
    "token2wav",   "mm_",     "multi_modal", "draft",      "eagle",      "wte",     "wpe",
    "output_gate", "A_log",   "dt_",         "patch",      "hc_",        "sinks",   "merger",
    "shared_head", "score",   "classifier",  "value_head", "compressor", "modality"};

/// Words of the projections themselves.
constexpr std::string_view projections[] = {"attn", "attention",    "mlp",   "expert",
                                            "ffn",  "feed_forward", "mixer", "_proj"};

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

template <size_t N>
bool has_any(std::string_view text, const std::string_view (&words)[N]) {
  return std::any_of(std::begin(words), std::end(words),
                     [&](std::string_view word) { return has(text, word); });
}

/// '*' stands for any run of characters, '?' for one.
bool glob(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

/// Whole components of one dotted name in the other: "self_attn" in "layers.0.self_attn.q_proj".
bool within(std::string_view part, std::string_view name) {
  for (size_t at = name.find(part); at != std::string_view::npos; at = name.find(part, at + 1)) {
    const size_t end = at + part.size();
    if ((at == 0 || name[at - 1] == '.') && (end == name.size() || name[end] == '.')) return true;
  }
  return false;
}

/// The first expert stands for all: "mlp.experts.17.up_proj" becomes "mlp.experts.0.up_proj".
std::string first_expert(std::string text) {
  constexpr std::string_view word = "experts.";
  const size_t at = text.find(word);
  if (at == std::string::npos) return text;
  const size_t start = at + word.size(), end = text.find_first_not_of(digits, start);
  const size_t length = std::min(end, text.size()) - start;
  if (length > 0) text.replace(start, length, "0");
  return text;
}

/// The layer that "model.layers.17.mlp*" is about; none for "model.layers.1*".
std::optional<std::int64_t> only_layer(std::string_view pattern) {
  constexpr std::string_view word = "layers.";
  const std::string_view fixed = pattern.substr(0, pattern.find_first_of("*?"));
  const size_t at = fixed.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  const size_t start = at + word.size(), end = fixed.find_first_not_of(digits, start);
  if (end == std::string_view::npos || fixed[end] != '.') return std::nullopt;
  return parse_integer(fixed.substr(start, end - start));
}

std::regex expression(Config& in, std::string_view key, const std::string& text) {
  if (text.size() > longest_expression)
    in.fail(key, fmt::format("an expression of more than {} characters", longest_expression));
  auto flags = std::regex::ECMAScript;
#ifdef __GLIBCXX__
  flags |= std::regex_constants::__polynomial;  // no backtracking without end
#endif
  try {
    return std::regex(text, flags);
  } catch (const std::regex_error&) {
    in.fail(key, fmt::format("'{}' is not a regular expression we understand",
                             text.substr(0, longest_expression)));
  }
}

}  // namespace

struct ModulePatterns::Entry {
  enum class Kind { name, glob, expression };
  Kind kind = Kind::name;
  std::string whole, text;  // as it is stated; behind the layer's number where it names one
  std::regex regex;
  std::optional<std::int64_t> layer;
  bool used = false;

  [[nodiscard]] bool covers_name(std::int64_t number, const std::string& name) const {
    if (kind == Kind::name) {
      if (layer) return text.empty() || within(text, name);
      return within(text, fmt::format("layers.{}.{}", number, name));
    }
    // What starts with "anything" does not care which prefix there is.
    const bool open = text.starts_with('*') || text.starts_with(".*");
    return std::any_of(std::begin(prefixes), open ? std::begin(prefixes) + 1 : std::end(prefixes),
                       [&](std::string_view prefix) {
                         const std::string full = fmt::format("{}{}.{}", prefix, number, name);
                         if (kind == Kind::glob) return glob(text, full) || glob(text + ".*", full);
                         return std::regex_search(full, regex,
                                                  std::regex_constants::match_continuous);
                       });
  }
  [[nodiscard]] bool covers(std::int64_t number, const Module& module) const {
    return std::any_of(module.names.begin(), module.names.end(),
                       [&](const std::string& name) { return covers_name(number, name); });
  }
  /// "model.layers.3.mlp.up_proj.weight": layer 3, "mlp.up_proj".
  void split() {
    constexpr std::string_view word = "layers.", weight = ".weight", model = "model.";
    if (text.ends_with(weight)) text.resize(text.size() - weight.size());
    text = first_expert(text);
    const size_t at = text.find(word);
    const bool names_layer = at != std::string::npos && (at == 0 || text[at - 1] == '.');
    if (names_layer && has_any(std::string_view(text).substr(0, at), others)) {
      layer = -1;  // a tower's, or an MTP module's
      return;
    }
    if (names_layer) {
      const size_t start = at + word.size();
      const size_t end = std::min(text.find_first_not_of(digits, start), text.size());
      layer = parse_integer(std::string_view(text).substr(start, end - start));
      if (layer) text = end < text.size() ? text.substr(end + 1) : "";
    }
    if (!layer && text.starts_with(model)) text = text.substr(model.size());
    if (!layer && text.empty()) text = whole;
  }
};

ModulePatterns::ModulePatterns(Config& in, std::string_view key,
                               const std::vector<std::string>& entries) {
  constexpr std::string_view mark = "re:";
  size_t expressions = 0;
  for (const std::string& text : entries) {
    auto entry = std::make_shared<Entry>();
    entry->whole = entry->text = text;
    if (text.starts_with(mark)) {
      entry->kind = Entry::Kind::expression;
      entry->text = text.substr(mark.size());
      if (++expressions > most_expressions)
        in.fail(key, fmt::format("more than {} expressions", most_expressions));
      entry->regex = expression(in, key, entry->text);
    } else if (text.find_first_of("*?") != std::string::npos) {
      entry->kind = Entry::Kind::glob;
      entry->layer = only_layer(text);
    } else {
      entry->split();
    }
    const bool numbered =
        entry->kind != Entry::Kind::name && entry->text.find_first_of(digits) != std::string::npos;
    auto& list = entry->layer ? of_layer_[*entry->layer] : numbered ? by_number_ : of_any_layer_;
    list.push_back(entry.get());
    entries_.push_back(std::move(entry));
  }
  if (by_number_.size() > most_numbered)
    in.fail(key, fmt::format("more than {} patterns with numbers", most_numbered));
}

/// Asks every entry, so that each knows whether it was of use.
bool ModulePatterns::cover_any(std::vector<Entry*>& entries, std::int64_t layer,
                               const Module& module) {
  bool covered = false;
  for (Entry* entry : entries) {
    if (!entry->covers(layer, module)) continue;
    entry->used = covered = true;
  }
  return covered;
}

bool ModulePatterns::cover(std::int64_t layer, const Module& module) {
  const auto [known, fresh] = known_.try_emplace(module.names.front());
  if (fresh) known->second = cover_any(of_any_layer_, layer, module);
  bool covered = known->second;
  if (const auto own = of_layer_.find(layer); own != of_layer_.end())
    covered |= cover_any(own->second, layer, module);
  return covered | cover_any(by_number_, layer, module);
}

std::optional<std::string> ModulePatterns::unmatched(std::int64_t layers) const {
  for (const auto& entry : entries_) {
    if (entry->used || (entry->layer && *entry->layer >= layers)) continue;
    const std::string& whole = entry->whole;
    const bool gate = whole.ends_with("gate") || whole.ends_with("gate.") ||
                      whole.ends_with("gate$") || whole.ends_with("gate*");
    if (!gate && has_any(whole, projections) && !has_any(whole, others)) return whole;
  }
  return std::nullopt;
}

}  // namespace afford::config
