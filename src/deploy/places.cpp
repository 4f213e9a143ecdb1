#include "deploy/places.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "error.hpp"
#include "text/suggest.hpp"

namespace afford {
namespace {

/// What can be placed: its name, and where it is asked for and kept.
struct Placeable {
  std::string_view name, thing;
  std::optional<AfdPool> PlacesAsked::*asked;
  AfdPool Places::*place;
  bool (*there)(const LayerShape& shape);
};

bool has_mlp(const LayerShape& shape, MlpRole role) {
  return std::any_of(shape.ffn.mlps.begin(), shape.ffn.mlps.end(),
                     [&](const Mlp& mlp) { return mlp.role == role; });
}

constexpr std::array placeables = {
    Placeable{"router", "router", &PlacesAsked::router, &Places::router,
              [](const LayerShape& shape) { return shape.ffn.router_outputs > 0; }},
    Placeable{"shared", "shared expert", &PlacesAsked::shared, &Places::shared,
              [](const LayerShape& shape) { return has_mlp(shape, MlpRole::shared); }},
    Placeable{"dense", "dense layer", &PlacesAsked::dense, &Places::dense,
              [](const LayerShape& shape) { return has_mlp(shape, MlpRole::dense); }}};

[[noreturn]] void refuse_place(const std::string& complaint) {
  throw ValueError("place", ": " + complaint);
}

std::string_view name_of_pool(AfdPool pool) {
  return pool == AfdPool::attention ? "attention" : "ffn";
}

void parse_place(PlacesAsked& asked, std::string_view part) {
  const size_t equals = std::min(part.find('='), part.size());
  const std::string_view name = part.substr(0, equals);
  const auto at = std::find_if(placeables.begin(), placeables.end(),
                               [&](const Placeable& placeable) { return placeable.name == name; });
  if (at == placeables.end() || equals == part.size()) {
    std::vector<std::string_view> names;
    for (const Placeable& placeable : placeables) names.push_back(placeable.name);
    refuse_place(
        fmt::format("expected router, shared or dense with =attention or =ffn, such as "
                    "shared=attention,dense=attention, got '{}'{}",
                    part, at == placeables.end() ? suggestion(name, names) : ""));
  }
  if (asked.*(at->asked)) refuse_place(fmt::format("{} is given twice", name));
  const std::string_view pool = part.substr(equals + 1);
  for (const AfdPool one : {AfdPool::attention, AfdPool::ffn}) {
    if (pool == name_of_pool(one)) asked.*(at->asked) = one;
  }
  if (!(asked.*(at->asked))) {
    const std::string_view pools[] = {name_of_pool(AfdPool::attention), name_of_pool(AfdPool::ffn)};
    refuse_place(fmt::format("{}: unknown value '{}'{}", name, pool, suggestion(pool, pools)));
  }
}

}  // namespace

PlacesAsked parse_places(std::string_view text) {
  PlacesAsked asked;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    parse_place(asked, text.substr(0, comma));
    if (comma != std::string_view::npos && comma + 1 == text.size())
      refuse_place("expected another place behind the last comma");
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return asked;
}

Places places_of(const PlacesAsked& asked, std::span<const Boundary> boundaries,
                 const ModelSpec& model) {
  Places places;
  if (!asked.any()) return places;
  if (std::find(boundaries.begin(), boundaries.end(), Boundary::core) != boundaries.end())
    refuse_place("cut at the core, all but the core is on the FFN pool");
  const std::vector<LayerShape> shapes = layer_shapes(model);
  for (const Placeable& placeable : placeables) {
    const std::optional<AfdPool>& pool = asked.*placeable.asked;
    if (!pool) continue;
    if (std::none_of(shapes.begin(), shapes.end(), placeable.there))
      refuse_place(fmt::format("{} has no {}", model.name, placeable.thing));
    places.*placeable.place = *pool;
  }
  const bool works = std::any_of(shapes.begin(), shapes.end(), [&](const LayerShape& shape) {
    return visits_ffn(places, shape);
  });
  if (!works)
    refuse_place(fmt::format("{} leaves the FFN pool nothing of {}", text_of(places), model.name));
  return places;
}

std::string text_of(const Places& places) {
  std::string text;
  for (const Placeable& placeable : placeables) {
    const AfdPool pool = places.*placeable.place;
    if (pool == Places().*placeable.place) continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", placeable.name, name_of_pool(pool));
  }
  return text;
}

bool visits_ffn(const Places& places, const LayerShape& shape) {
  return std::any_of(shape.ffn.mlps.begin(), shape.ffn.mlps.end(),
                     [&](const Mlp& mlp) { return !places.at_attention(mlp.role); });
}

}  // namespace afford
