#pragma once
// Accelerators, and how a co-located engine lays a model out on them: attention one way, experts
// another. The notation is the field's: "tp8", "ep32", "tp8+ep16", "dp8+tp8", "tp2dp4+ep8", with
// ",cp8" for a cache split by tokens and ",pp3" for pipeline stages.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "spec/hardware.hpp"
#include "spec/model.hpp"

namespace afford {

/// `instances` servers (or slices of servers) of `accelerators` each.
struct Pool {
  const HardwareSpec* chip = nullptr;
  std::int64_t instances = 1, accelerators = 8;
  [[nodiscard]] std::int64_t size() const { return instances * accelerators; }
};
/// "h800:2x8".
[[nodiscard]] std::string name_of(const Pool& pool);
/// Of all its accelerators.
[[nodiscard]] inline UsdRate price_of(const Pool& pool) {
  return real(pool.size()) * pool.chip->price.value;
}

/// One engine: the accelerators that hold the model once. Attention is sharded `attention_tp`
/// ways, and replicas of it share the requests (data parallelism); each expert is sharded
/// `expert_tp` ways, and the experts are split into `expert_ep` groups. `pp` such stages in a row
/// share the layers (pipeline parallelism). Of `attention_tp` accelerators every `cp` hold the
/// tokens of a cache in turn instead of its heads once more (decode context parallelism, vLLM's
/// --decode-context-parallel-size): each runs the queries of all `cp` over its own tokens.
struct Layout {
  std::int64_t attention_tp = 1, expert_tp = 1, expert_ep = 1, pp = 1, cp = 1;

  /// Accelerators of a stage, and of an engine.
  [[nodiscard]] std::int64_t size() const { return expert_tp * expert_ep; }
  [[nodiscard]] std::int64_t engine() const { return size() * pp; }
  /// Of attention, in a stage.
  [[nodiscard]] std::int64_t replicas() const { return size() / attention_tp; }
  /// Dense layers follow the wider of the two: engines gather the tokens of replicas that share
  /// one.
  [[nodiscard]] std::int64_t dense_tp() const {
    return attention_tp > expert_tp ? attention_tp : expert_tp;
  }
  bool operator==(const Layout&) const = default;
};

/// Every matrix sharded over `ways`.
[[nodiscard]] constexpr Layout tensor_parallel(std::int64_t ways) { return {ways, ways, 1}; }
/// Attention data-parallel on each of `accelerators`, experts split over them.
[[nodiscard]] constexpr Layout expert_parallel(std::int64_t accelerators) {
  return {1, 1, accelerators};
}

/// Reads ATTENTION+EXPERTS: tpN, dpN or tpNdpM, then epN, tpN or tpNepM. "tp8" alone shards the
/// experts as well, "ep32" alone leaves attention data-parallel. ",cpN" and ",ppN" may follow.
/// Throws ValueError.
[[nodiscard]] Layout parse_layout(std::string_view text);

/// What parse_layout reads, in capitals, the shortest: "TP8", "EP32", "TP8DP2+EP16",
/// "TP8,CP8,PP3".
[[nodiscard]] std::string name_of(const Layout& layout);

/// What speaks against a layout on a pool: that it does not divide it, its servers or itself.
[[nodiscard]] std::optional<std::string> objection(const Layout& layout, const Pool& pool);
/// Or of a model: fewer layers than stages, heads that do not divide, a cache that is split by
/// heads already or has no tokens to split by, or fewer experts (with `redundant` copies of some)
/// than groups of them.
[[nodiscard]] std::optional<std::string> objection(const Layout& layout, const ModelSpec& model,
                                                   std::int64_t redundant = 0);
/// The first as a ValueError.
void check_layout(const Layout& layout, const Pool& pool);

/// What an FFN needs of the network between the accelerators of an engine.
enum class FfnTraffic {
  none,        // the tokens are where the weights are
  all_reduce,  // all accelerators have all tokens and add up their results
  gather,      // all-gather of the replicas' tokens, reduce-scatter of the results
  exchange     // dispatch of each token to its experts, combine
};
[[nodiscard]] FfnTraffic ffn_traffic(const Layout& layout, bool routed);

}  // namespace afford
