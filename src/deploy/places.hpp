#pragma once
// Where AFD cuts a layer: which of its pools has what.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "layer/shape.hpp"

namespace afford {

/// The attention pool has all of the attention side, or the core and its cache alone; then
/// projections, router and LM head are with the experts.
enum class Boundary { attention, core };
inline constexpr std::pair<std::string_view, Boundary> boundary_names[] = {
    {"attention", Boundary::attention}, {"core", Boundary::core}};
[[nodiscard]] constexpr std::string_view name_of(Boundary boundary) {
  return boundary_names[static_cast<int>(boundary)].first;
}

enum class AfdPool : std::uint8_t { attention, ffn };

/// The pool of the routers, of shared experts and of dense layers' MLPs. Of a deployment that is
/// cut at the core nothing of this is asked: all but the core is on the FFN pool.
struct Places {
  AfdPool router = AfdPool::attention, shared = AfdPool::ffn, dense = AfdPool::ffn;
  bool operator==(const Places&) const = default;

  /// Whether the attention pool has the MLPs of a role.
  [[nodiscard]] bool at_attention(MlpRole role) const {
    if (role == MlpRole::routed) return false;
    return (role == MlpRole::shared ? shared : dense) == AfdPool::attention;
  }
};

/// Those given, each at most once; what is not given stays where it is by default.
struct PlacesAsked {
  std::optional<AfdPool> router, shared, dense;
  [[nodiscard]] bool any() const { return router || shared || dense; }
};

/// "shared=attention,dense=attention". Empty: nothing is asked. Throws ValueError ("place").
[[nodiscard]] PlacesAsked parse_places(std::string_view text);

/// The defaults filled in, of deployments cut at one of the `boundaries`. Throws ValueError
/// ("place") where the model has nothing of what is placed, nothing is left for the FFN pool, or
/// the cut leaves no choice.
[[nodiscard]] Places places_of(const PlacesAsked& asked, std::span<const Boundary> boundaries,
                               const ModelSpec& model);

/// What is not where it is by default, as parse_places() reads it.
[[nodiscard]] std::string text_of(const Places& places);

/// Whether tokens of such a layer go to the FFN pool at all.
[[nodiscard]] bool visits_ffn(const Places& places, const LayerShape& shape);

}  // namespace afford
