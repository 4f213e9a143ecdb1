#pragma once
// The numbers a config gives of a tower for pictures or sound, and of what leads from it to the
// language model.

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "import/builder.hpp"

namespace afford::config {

/// A tower's object in the config.
struct Tower {
  Config& in;
  const json::Value& object;
  std::string model;  // the model_type of the whole
  double hidden = 0;  // of the language model

  using Names = std::initializer_list<std::string_view>;
  /// The first of several names that is there with a number above zero.
  [[nodiscard]] std::optional<double> stated(Names names, double most = 1 << 20) const;
  [[nodiscard]] double number(Names names, double fallback) const;
  /// Of the object, or beside it in the model's config.
  [[nodiscard]] double number_of_model(std::string_view name, double fallback) const;
  [[nodiscard]] std::string text(std::string_view name) const;
  /// Entries of a list; -1: none is there.
  [[nodiscard]] int entries(std::string_view name) const;
  [[nodiscard]] double width() const;
};

/// Weights between the tower and the language model, and what they are: "merger", "projector".
struct Bridge {
  double params = 0;
  std::string_view what;
};
/// Nothing where the model's is not known.
[[nodiscard]] std::optional<Bridge> picture_bridge(const Tower& tower);
[[nodiscard]] std::optional<Bridge> sound_bridge(const Tower& tower);

}  // namespace afford::config
