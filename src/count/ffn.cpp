#include "count/ffn.hpp"

#include <fmt/format.h>

namespace afford {
namespace {

constexpr double matrices_of_a_gated_mlp = 3;

FfnCount count(const Dense& f) {
  return {.mlps = {{.name = "dense", .intermediate = f.intermediate}}, .router_outputs = 0};
}

FfnCount count(const Moe& f) {
  FfnCount result{.mlps = {{.name = "routed",
                            .intermediate = f.intermediate,
                            .active = f.active,
                            .copies = f.experts}},
                  .router_outputs = f.experts,
                  .latent = f.latent};
  result.mlps.front().inputs = f.latent;
  if (f.shared_experts > 0) {
    result.mlps.push_back({.name = "shared",
                           .intermediate = f.shared_intermediate,
                           .active = f.shared_experts,
                           .copies = f.shared_experts});
  }
  return result;
}

std::string text(const Dense& f) { return fmt::format("dense {}", f.intermediate); }
std::string text(const Moe& f) {
  std::string routed = fmt::format("MoE {} of {} x {}", f.active, f.experts, f.intermediate);
  if (f.latent > 0) routed += fmt::format(" on {}", f.latent);
  if (f.shared_experts == 0) return routed;
  return fmt::format("{} + {} shared x {}", routed, f.shared_experts, f.shared_intermediate);
}

}  // namespace

FfnCount count_ffn(const FfnShape& shape) {
  return std::visit([](const auto& kind) { return count(kind); }, shape);
}

double weights_of(const GatedMlp& mlp, std::int64_t copies, std::int64_t hidden) {
  return matrices_of_a_gated_mlp * static_cast<double>(mlp.inputs > 0 ? mlp.inputs : hidden) *
         static_cast<double>(mlp.intermediate) * static_cast<double>(copies);
}

double latent_weights(const FfnCount& ffn, std::int64_t hidden) {
  return 2 * static_cast<double>(hidden) * static_cast<double>(ffn.latent);
}

double active_weights(const FfnCount& ffn, std::int64_t hidden) {
  double sum = latent_weights(ffn, hidden);
  for (const GatedMlp& mlp : ffn.mlps) sum += weights_of(mlp, mlp.active, hidden);
  return sum;
}

double total_weights(const FfnCount& ffn, std::int64_t hidden) {
  double sum = latent_weights(ffn, hidden);
  for (const GatedMlp& mlp : ffn.mlps) sum += weights_of(mlp, mlp.copies, hidden);
  return sum;
}

std::string describe(const FfnShape& shape) {
  return std::visit([](const auto& kind) { return text(kind); }, shape);
}

}  // namespace afford
