#pragma once
// Every kind of FFN; a new one is a file beside this, its line here, and its line in the reader's
// table (load/ffn_reader.cpp).

#include <variant>

#include "spec/ffn/dense.hpp"
#include "spec/ffn/moe.hpp"
#include "spec/ffn/none.hpp"

namespace afford {

/// What a kind of FFN must have: its name and keys in a model file, the format of its weights among
/// them, its count and its description.
template <class Kind>
concept FfnKind = requires(const Kind& kind) {
  { Kind::kind } -> std::convertible_to<std::string_view>;
  { count(kind) } -> std::same_as<FfnCount>;
  { text(kind) } -> std::same_as<std::string>;
}
&&keys::has<Kind>(keys::weights);

template <FfnKind... Kinds>
using OneFfnOf = std::variant<Kinds...>;

using FfnShape = OneFfnOf<Dense, Moe, NoFfn>;

[[nodiscard]] inline FfnCount count_ffn(const FfnShape& shape) {
  return std::visit([](const auto& kind) { return count(kind); }, shape);
}

/// "MoE 3 of 48 x 5120 + 1 shared", "dense 18432".
[[nodiscard]] inline std::string describe(const FfnShape& shape) {
  return std::visit([](const auto& kind) { return text(kind); }, shape);
}

}  // namespace afford
