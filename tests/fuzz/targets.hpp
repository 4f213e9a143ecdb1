#pragma once
// What a fuzzer may throw at the readers: anything. Every input ends in a value or in an error of
// ours; what is read must then bear being used.

#include <span>
#include <string_view>

namespace afford::fuzz {

/// One reader. `run` returns, or ends the process where something is wrong.
struct Target {
  std::string_view name;
  void (*run)(std::string_view text);
};

[[nodiscard]] std::span<const Target> targets();
/// Those among them that need the data folder.
[[nodiscard]] std::span<const Target> study_targets();

/// The target of this name, or nullptr.
[[nodiscard]] const Target* find(std::string_view name);

}  // namespace afford::fuzz
