#pragma once
// Every kind of attention. A new one is a file beside this, its line here, and its line in the
// reader's table (load/attention_reader.cpp); what it leaves out does not compile.

#include <variant>

#include "spec/attention/concat.hpp"
#include "spec/attention/csa.hpp"
#include "spec/attention/dsa.hpp"
#include "spec/attention/gated_delta_net.hpp"
#include "spec/attention/gqa.hpp"
#include "spec/attention/kda.hpp"
#include "spec/attention/lightning.hpp"
#include "spec/attention/mamba1.hpp"
#include "spec/attention/mamba2.hpp"
#include "spec/attention/mfa.hpp"
#include "spec/attention/mla.hpp"
#include "spec/attention/msa.hpp"
#include "spec/attention/rwkv7.hpp"
#include "spec/attention/short_conv.hpp"

namespace afford {

/// What a kind of attention must have: its name and keys in a model file, of which one is the
/// format of what it keeps (a cache or a state), its count, and its description.
template <class Kind>
concept AttentionKind = requires(const Kind& kind) {
  { Kind::kind } -> std::convertible_to<std::string_view>;
  { count(kind, std::int64_t{}, Convention::exact) } -> std::same_as<AttentionCount>;
  { text(kind) } -> std::same_as<std::string>;
}
&&(keys::has<Kind>(keys::kv) != keys::has<Kind>(keys::state));

template <AttentionKind... Kinds>
using OneOf = std::variant<Kinds...>;

using AttentionShape = OneOf<Gqa, Mfa, Mla, Lightning, Dsa, Msa, CompressedMqa, GatedDeltaNet, Kda,
                             Mamba1, Mamba2, ShortConv, Concat, Rwkv7>;

/// One layer with `hidden` values a token.
[[nodiscard]] inline AttentionCount count_attention(const AttentionShape& shape,
                                                    std::int64_t hidden, Convention convention) {
  return std::visit([&](const auto& kind) { return count(kind, hidden, convention); }, shape);
}

/// "GQA 64/4 x 128", "MLA 128 x (512+64)".
[[nodiscard]] inline std::string describe(const AttentionShape& shape) {
  return std::visit([](const auto& kind) { return text(kind); }, shape);
}

/// Whether this kind carries a recurrent state instead of a KV cache.
[[nodiscard]] inline bool is_recurrent(const AttentionShape& shape) {
  return std::visit([]<class Kind>(const Kind&) { return keys::has<Kind>(keys::state); }, shape);
}

namespace kinds {

template <class... Kinds>
constexpr bool keeps_state(std::string_view kind, const std::variant<Kinds...>*) {
  return ((kind == Kinds::kind && keys::has<Kinds>(keys::state)) || ...);
}

}  // namespace kinds

/// The same of a kind by its name in a model file.
[[nodiscard]] constexpr bool is_recurrent(std::string_view kind) {
  return kinds::keeps_state(kind, static_cast<const AttentionShape*>(nullptr));
}

}  // namespace afford
