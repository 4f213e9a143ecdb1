#pragma once
// A model file under construction, and how it is written.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace afford::config {

/// "query_heads: 64  # num_attention_heads"
struct Field {
  std::string key, value, comment;
};

/// One entry of `attention` or `ffn`.
struct Part {
  std::string name;
  std::vector<Field> fields;
  // The shared expert is the layer's dense MLP ("mlp.up_proj"); the experts stand beside it.
  bool beside_mlp = false;
};

/// A count its publisher states ("230B", counting which of the vocabulary matrices).
struct Published {
  std::string value, counts;
};

struct Draft {
  std::string name, title;
  std::vector<std::string> head;         // comment lines at the top
  std::string config_what, config_date;  // the source of the shapes
  bool paper_precision = false;          // the Step-3 report's formats instead of the config's
  std::string published_what, published_date;  // the source of the counts
  std::optional<Published> total, active;
  std::vector<Field> shape;
  std::vector<Part> attentions, ffns;
  std::vector<std::string> attention_of, ffn_of;  // the part of each layer, by name
  std::string layers_comment;
  std::vector<Field> precision;
  std::vector<Part> held;        // towers and tables
  std::int64_t mtp_modules = 0;  // 0: none
  std::string mtp_comment;
};

/// The YAML text of a model file.
[[nodiscard]] std::string to_yaml(const Draft& draft);

/// A text as a YAML scalar in double quotes, on one line.
[[nodiscard]] std::string quoted(const std::string& text);

}  // namespace afford::config
