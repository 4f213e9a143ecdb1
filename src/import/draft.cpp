#include "import/draft.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace afford::config {
namespace {

/// A run of layers that repeats a pattern.
struct Group {
  size_t repeat = 0;
  std::vector<std::string> pattern;
};

size_t repeats(const std::vector<std::string>& layers, size_t at, size_t period) {
  size_t count = 1;
  while (at + (count + 1) * period <= layers.size() &&
         std::equal(layers.begin() + static_cast<std::ptrdiff_t>(at),
                    layers.begin() + static_cast<std::ptrdiff_t>(at + period),
                    layers.begin() + static_cast<std::ptrdiff_t>(at + count * period))) {
    ++count;
  }
  return count;
}

/// From the front, always the pattern of at most 16 layers that covers most, shortest first.
std::vector<Group> groups_of(const std::vector<std::string>& layers) {
  constexpr size_t longest_period = 16;
  std::vector<Group> groups;
  for (size_t at = 0; at < layers.size();) {
    size_t best = 1, best_count = repeats(layers, at, 1);
    for (size_t period = 2; period <= longest_period && at + 2 * period <= layers.size();
         ++period) {
      const size_t count = repeats(layers, at, period);
      if (count >= 2 && period * count > best * best_count) {
        best = period;
        best_count = count;
      }
    }
    const auto start = layers.begin() + static_cast<std::ptrdiff_t>(at);
    groups.push_back({best_count, {start, start + static_cast<std::ptrdiff_t>(best)}});
    at += best * best_count;
  }
  return groups;
}

void write_fields(std::string& out, const std::vector<Field>& fields, size_t indent) {
  for (const Field& field : fields) {
    const std::string line = fmt::format("{:{}}{}: {}", "", indent, field.key, field.value);
    out += field.comment.empty() ? line + "\n" : fmt::format("{:<25} # {}\n", line, field.comment);
  }
}

void write_parts(std::string& out, std::string_view section, const std::vector<Part>& parts) {
  out += fmt::format("\n{}:\n", section);
  for (const Part& part : parts) {
    out += fmt::format("  {}:\n    source: config\n", part.name);
    write_fields(out, part.fields, 4);
  }
}

void write_held(std::string& out, const std::vector<Part>& held) {
  if (!held.empty()) write_parts(out, "held", held);
}

void write_layers(std::string& out, const Draft& draft) {
  std::vector<std::string> layers;
  for (size_t i = 0; i < draft.attention_of.size(); ++i) {
    layers.push_back(draft.attention_of[i] + "/" + draft.ffn_of[i]);
  }
  out +=
      fmt::format("\nlayers:\n{:<25} # {}\n  stack:\n", "  source: config", draft.layers_comment);
  for (const Group& group : groups_of(layers)) {
    out += fmt::format("    - {{repeat: {}, pattern: [{}]}}\n", group.repeat,
                       fmt::join(group.pattern, ", "));
  }
  if (draft.mtp_modules > 0) {
    out += fmt::format("\nmtp: {{source: config, modules: {}, layer: {}}}  # {}\n",
                       draft.mtp_modules, layers.back(), draft.mtp_comment);
  }
}

void write_sources(std::string& out, const Draft& draft) {
  out += fmt::format("\nsources:\n  config: {{what: {}, date: {}}}\n", quoted(draft.config_what),
                     draft.config_date);
  if (draft.paper_precision) {
    out +=
        "  paper: {what: \"Step-3 report, arXiv 2507.19427, Section 4: all models compared in FP8, "
        "in hybrid "
        "ones "
        "full attention keeps a BF16 KV cache and lightning an FP32 state\", date: 2025-07}\n";
  }
  if (draft.total) {
    out += fmt::format("  published: {{what: {}, date: {}}}\n", quoted(draft.published_what),
                       draft.published_date);
  }
}

void write_published(std::string& out, const Draft& draft) {
  if (!draft.total || !draft.active) return;
  out += "\npublished:\n";
  for (const auto& [key, count] :
       {std::pair{"total_params", *draft.total}, {"active_params", *draft.active}}) {
    out += fmt::format("  {}: {{{}, counts: [{}], source: published}}\n", key, count.value,
                       count.counts);
  }
}

}  // namespace

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= ' ' && c != '\x7f') out += c;
  }
  return out + "\"";
}

std::string to_yaml(const Draft& draft) {
  std::string out;
  for (const std::string& line : draft.head) out += "# " + line + "\n";
  out += fmt::format("schema: 1\nname: {}\ntitle: {}\n", draft.name, quoted(draft.title));
  write_sources(out, draft);
  out += "\nshape:\n  source: config\n";
  write_fields(out, draft.shape, 2);
  write_parts(out, "attention", draft.attentions);
  write_parts(out, "ffn", draft.ffns);
  write_layers(out, draft);
  out += fmt::format("\nprecision:\n  source: {}\n", draft.paper_precision ? "paper" : "config");
  write_fields(out, draft.precision, 2);
  write_held(out, draft.held);
  write_published(out, draft);
  return out;
}

}  // namespace afford::config
