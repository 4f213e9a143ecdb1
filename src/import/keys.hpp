#pragma once
// What is known about keys of published configs that no count depends on.

#include <string_view>

namespace afford::config {

/// Keys that change no shape: positions, norms, biases, tokens, training, routing scores, text
/// generation, and the towers for pictures and sound, which decoding does not run.
[[nodiscard]] bool does_not_matter(std::string_view key);

/// Whether the list of such keys names it; rules on names are not asked.
[[nodiscard]] bool is_harmless(std::string_view key);

/// Whether a key, from its name alone, may change a shape.
[[nodiscard]] bool may_matter(std::string_view key);

/// Whether the key may state how weights are quantised.
[[nodiscard]] bool states_formats(std::string_view key);

}  // namespace afford::config
