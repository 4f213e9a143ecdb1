#pragma once
#include <fmt/core.h>

#include "spec/ffn/count.hpp"
#include "spec/keys.hpp"
#include "spec/limits.hpp"

namespace afford {

/// `active` of `experts` routed experts plus every shared expert, all gated or none. Routed experts
/// may work on `latent` numbers instead of the hidden state; one matrix leads there and one back.
struct Moe {
  std::int64_t experts = 0, active = 0, intermediate = 0;
  std::int64_t shared_experts = 0, shared_intermediate = 0;  // 0: as the routed ones
  std::int64_t latent = 0;                                   // 0: the hidden state itself
  bool gated = true;

  static constexpr std::string_view kind = "moe";
  static constexpr auto keys() {
    return std::to_array<Key<Moe>>(
        {keys::whole<&Moe::experts>("experts", limits::experts),
         keys::whole<&Moe::active>("active", limits::experts),
         keys::whole<&Moe::intermediate>("intermediate", limits::width),
         keys::optional_whole<&Moe::shared_experts>("shared_experts", {0, limits::experts.most}),
         keys::optional_whole_with<&Moe::shared_intermediate>("shared_experts",
                                                              "shared_intermediate", limits::width),
         keys::optional_whole<&Moe::latent>("latent", limits::width),
         keys::flag<&Moe::gated>("gated"), keys::format<Moe>(keys::weights),
         keys::format<Moe>(keys::shared_weights)});
  }
};

[[nodiscard]] inline std::optional<Complaint> complaint(const Moe& f) {
  if (f.active <= f.experts) return std::nullopt;
  return Complaint{"active",
                   fmt::format("active experts ({}) exceed experts ({})", f.active, f.experts)};
}

[[nodiscard]] inline std::int64_t shared_width(const Moe& f) {
  return f.shared_intermediate > 0 ? f.shared_intermediate : f.intermediate;
}

[[nodiscard]] inline FfnCount count(const Moe& f) {
  FfnCount result{.mlps = {{.role = MlpRole::routed,
                            .intermediate = f.intermediate,
                            .active = f.active,
                            .copies = f.experts,
                            .inputs = f.latent,
                            .gated = f.gated}},
                  .router_outputs = f.experts,
                  .latent = f.latent};
  if (f.shared_experts > 0) {
    result.mlps.push_back({.role = MlpRole::shared,
                           .intermediate = shared_width(f),
                           .active = f.shared_experts,
                           .copies = f.shared_experts,
                           .gated = f.gated});
  }
  return result;
}

[[nodiscard]] inline std::string text(const Moe& f) {
  std::string routed = fmt::format("MoE {} of {} x {}", f.active, f.experts, f.intermediate);
  if (f.latent > 0) routed += fmt::format(" on {}", f.latent);
  if (f.shared_experts > 0)
    routed += fmt::format(" + {} shared x {}", f.shared_experts, shared_width(f));
  return routed + (f.gated ? "" : ", no gate");
}

}  // namespace afford
