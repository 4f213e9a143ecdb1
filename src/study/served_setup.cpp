#include "study/served_setup.hpp"

namespace afford::study {
namespace {

std::int64_t attention_replicas(const ServedPoint& point) {
  return static_cast<std::int64_t>(point.attention_dp.value_or(1));
}

/// InferenceX's import multiplied the attention's parallelism by the experts' one: tp x dp of a
/// worker of `a` GPUs reads a squared, and its experts a x a.
bool is_squared(const ServedPoint& point) {
  return point.attention_dp && point.moe_tp > 1 && point.moe_tp == point.moe_ep &&
         point.tp * attention_replicas(point) == point.moe_tp * point.moe_ep;
}

/// That worker is what its experts' factor says: data-parallel attention over EP where each replica
/// has one GPU, with the requests of all replicas spread over them; else one group under TP, its
/// experts on a GPU each.
Worker unsquared(const ServedPoint& point) {
  const std::int64_t a = point.moe_tp;
  Worker worker{.gpus = a, .tensor = a, .expert_groups = a, .requests = point.concurrency_or_batch};
  if (point.tp == 1) {
    worker.tensor = 1;
    worker.requests *= static_cast<double>(attention_replicas(point)) / static_cast<double>(a);
  }
  return worker;
}

/// MiniMax-M2.5's rows of TP4 and EP4 appear a second time with tp = dp = 4 and 16 expert groups,
/// their concurrency divided by dp: the same server.
bool repeats_tensor_series(const ServedPoint& point) {
  return point.attention_dp && point.tp > 1 && point.tp == attention_replicas(point) &&
         point.moe_tp == 1 && point.moe_ep == point.tp * attention_replicas(point);
}

/// A worker has as many GPUs as its experts are spread over, each attention replica `tp` of them.
Worker stated(const ServedPoint& point) {
  const std::int64_t whole = point.tp * attention_replicas(point);
  const std::int64_t experts = point.moe_tp * point.moe_ep;  // 0: not stated
  const std::int64_t gpus = experts < point.tp ? whole : experts;
  // Where the factors do not cover the GPUs, the experts are sharded over all of them.
  const bool covered = experts == gpus;
  return {.gpus = gpus,
          .tensor = point.tp,
          .expert_tensor = covered ? point.moe_tp : gpus,
          .expert_groups = covered ? point.moe_ep : 1,
          .requests = point.concurrency_or_batch};
}

/// TensorRT-LLM's DeepSeek-R1 rows of these releases draft tokens without saying so: 7 ms beside
/// 14 ms of other rows of the same shape.
bool drafts_unsaid(const ServedPoint& point, const Worker& worker) {
  if (point.engine != "trtllm" || point.model != "deepseek-ai/DeepSeek-R1" || !point.mixed())
    return false;
  const bool blackwell = point.chip.starts_with("b") || point.chip.starts_with("gb");
  if (point.engine_version == "1.2.0rc6.post3") return blackwell;
  return point.engine_version == "1.1.0rc2.post2" && point.linear_format == "fp8" &&
         worker.tensor > 1;
}

/// A published checkpoint of 4 bits that engines run as it is. Collections call gpt-oss's MXFP4
/// "nvfp4" or "fp8", having no name for it.
bool runs_as_published(const ServedPoint& point, const Precision& own) {
  if (own.ffn_weights == Dtype::mxfp4) return true;
  const bool grouped = own.ffn_weights == Dtype::int4g32 || own.ffn_weights == Dtype::int4g128;
  return grouped && (point.expert_format == "int4_wo" || point.expert_format.empty());
}

enum class Format { bf16, fp8, nvfp4 };

std::optional<Format> format_called(const std::string& name) {
  if (name.empty() || name == "bf16") return Format::bf16;
  if (name == "fp8" || name == "fp8_block") return Format::fp8;
  if (name == "nvfp4") return Format::nvfp4;
  return std::nullopt;
}

struct StoredAndComputed {
  Dtype weights, compute;
};
StoredAndComputed dtypes_of(Format format) {
  if (format == Format::bf16) return {Dtype::bf16, Dtype::bf16};
  if (format == Format::fp8) return {Dtype::fp8, Dtype::fp8};
  return {Dtype::nvfp4, Dtype::fp4};
}

}  // namespace

Worker worker_of(const ServedPoint& point, bool moe) {
  if (!moe) {
    return {.gpus = point.tp,
            .tensor = point.tp,
            .expert_tensor = point.tp,
            .requests = point.concurrency_or_batch};
  }
  if (is_squared(point)) return unsquared(point);
  if (repeats_tensor_series(point)) {
    return {.gpus = point.tp,
            .tensor = point.tp,
            .expert_groups = point.tp,
            .requests = point.concurrency_or_batch * *point.attention_dp};
  }
  return stated(point);
}

double mean_context(const ServedPoint& point) { return point.isl + point.osl / 2; }

std::optional<Precision> served_precision(const ServedPoint& point, const ModelSpec& model) {
  Precision precision = model.precision;
  precision.attention_compute = Dtype::bf16;
  precision.kv = Dtype::bf16;
  if (runs_as_published(point, model.precision)) return precision;
  const std::optional<Format> linear = format_called(point.linear_format);
  const std::optional<Format> experts = format_called(point.expert_format);
  if (!linear || !experts) return std::nullopt;
  // NVFP4 checkpoints of mixtures of experts leave the attention's matrices in BF16.
  const bool keeps = *linear == Format::nvfp4 && has_experts(model);
  const StoredAndComputed attention = dtypes_of(keeps ? Format::bf16 : *linear);
  const StoredAndComputed ffn = dtypes_of(has_experts(model) ? *experts : *linear);
  precision.attention_weights = attention.weights;
  precision.linear_compute = attention.compute;
  precision.ffn_weights = ffn.weights;
  precision.ffn_compute = ffn.compute;
  // Quantised checkpoints for TensorRT-LLM bring FP8 scales of the cache, and it uses them.
  if (point.engine == "trtllm" && *linear != Format::bf16) precision.kv = Dtype::fp8;
  return precision;
}

std::string why_not_usable(const ServedPoint& point, const Worker& worker) {
  constexpr double queueing_ms = 3000, slow_ms = 200;
  constexpr std::int64_t most_tensor = 16;
  // A disaggregated system queues in front of its prompt servers, which its TPOT does not feel.
  if (point.mixed() && point.ttft_ms.value_or(0) >= queueing_ms)
    return "requests queue (TTFT of 3 s and more)";
  if (point.tpot_ms >= slow_ms) return "TPOT of 200 ms and more";
  if (drafts_unsaid(point, worker)) return "drafts tokens without saying so";
  if (worker.tensor > most_tensor) return "a whole disaggregated system, not one server";
  if (worker.gpus % worker.tensor != 0) return "its parallelism does not divide its GPUs";
  return "";
}

}  // namespace afford::study
