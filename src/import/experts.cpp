// Expert parts: how many, how wide, what is shared.
#include <fmt/format.h>

#include "import/builder.hpp"

namespace afford::config {

std::int64_t expert_count(Builder& b) {
  const auto key =
      b.in.any({"n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts"});
  return b.in.has(key) ? b.in.integer(key, {0, limits::experts.most}) : 0;
}

namespace {

/// Qwen, Step and MiniMax state the width of one shared MLP, DeepSeek, GLM and Kimi a number of
/// experts.
void add_shared(Builder& b, Part& part) {
  const Field width = part.fields.back();
  const auto one = b.in.any({"shared_expert_intermediate_size", "share_expert_dim",
                             "shared_intermediate_size", "moe_shared_expert_intermediate_size"});
  const std::int64_t wide = b.in.has(one) ? b.in.integer(one, {0, limits::width.most}) : 0;
  constexpr const char* counts[] = {"n_shared_experts", "num_shared_experts",
                                    "moe_num_shared_experts", "num_shared_expert"};
  if (wide > 0) {
    for (const char* count : counts) b.in.set_aside(count);  // one, of that width
    part.fields.push_back({"shared_experts", "1", std::string(one)});
    part.fields.push_back({"shared_intermediate", fmt::format("{}", wide), std::string(one)});
    return;
  }
  const auto many = b.in.any(
      {"n_shared_experts", "num_shared_experts", "moe_num_shared_experts", "num_shared_expert"});
  // Hunyuan has its shared MLP only with use_mixed_mlp_moe.
  const bool none = b.in.has("use_mixed_mlp_moe") && !b.in.flag("use_mixed_mlp_moe", true, "");
  const std::int64_t count =
      b.in.has(many) && !none ? b.in.integer(many, {0, limits::experts.most}) : 0;
  if (count > 0) {
    part.fields.push_back({"shared_experts", fmt::format("{}", count), std::string(many)});
    // On the hidden state even where the routed experts are on a latent one.
    part.fields.push_back({"shared_intermediate", width.value, width.comment});
  }
}

}  // namespace

Part expert_part(Builder& b, std::string_view width_key) {
  const auto count_key =
      b.in.any({"n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts"});
  const auto active_key =
      b.in.any({"num_experts_per_tok", "num_experts_per_token", "experts_per_token",
                "top_k_experts", "moe_top_k", "moe_k", "moe_topk", "num_experts_per_topk"});
  Part part{"moe",
            {{"kind", "moe", ""},
             integer_field(b, "experts", count_key, limits::experts),
             integer_field(b, "active", active_key, limits::experts),
             integer_field(b, "intermediate", width_key, limits::width)}};
  if (integer_of(part, "active") > integer_of(part, "experts")) {
    b.in.fail(active_key, fmt::format("more active experts ({}) than experts ({})",
                                      integer_of(part, "active"), integer_of(part, "experts")));
  }
  add_shared(b, part);
  if (b.in.has("routed_expert_hidden_size")) {
    part.fields.push_back(integer_field(b, "latent", "routed_expert_hidden_size", limits::width));
  }
  return part;
}

}  // namespace afford::config
