#include "spec/engine.hpp"

#include <array>

namespace afford {
namespace {

using Number = EngineParameter::Number;
using Time = EngineParameter::Time;
using Flag = EngineParameter::Flag;

/// The member of an engine, or of its kernel counts, as a function.
template <double Engine::*member>
constexpr Number number = [](Engine& e) -> double& { return e.*member; };
template <double KernelCounts::*member>
constexpr Number kernel_count = [](Engine& e) -> double& { return e.kernels.*member; };
template <double LaunchedKernels::*member>
constexpr Number launched = [](Engine& e) -> double& { return e.time.kernels.*member; };
template <Seconds Engine::*member>
constexpr Time time_of = [](Engine& e) -> Seconds& { return e.*member; };
template <bool Engine::*member>
constexpr Flag flag = [](Engine& e) -> bool& { return e.*member; };

constexpr double least_share = 0.01, most_rows = 1024, most_kernels = 64, most_seconds = 1;
constexpr double least_factor = 0.1, most_factor = 10, most_bytes = 1e12;

const auto parameters = std::to_array<EngineParameter>({
    {"attention", "memory", "share of memory bandwidth over KV reads",
     number<&Engine::attention_memory>, least_share, 1},
    {"attention", "compute", "share of the tensor peak", number<&Engine::attention_compute>,
     least_share, 1},
    {"attention", "query_tile", "rows of the smallest query tile", number<&Engine::attention_tile>,
     1, most_rows},
    {"attention", "tile_on_curves", "that tile also where another kernel was measured",
     flag<&Engine::tile_on_curves>},
    {"attention", "paged", "cache read through a page table", flag<&Engine::paged_cache>},
    {"gemm", "memory", "share of memory bandwidth over weights", number<&Engine::gemm_memory>,
     least_share, 1},
    {"gemm", "compute", "share of the tensor peak, dense", number<&Engine::gemm_compute>,
     least_share, 1},
    {"gemm", "row_tile", "fewest token rows computed", number<&Engine::gemm_tile>, 1, most_rows},
    {"grouped_gemm", "compute", "share of the tensor peak, experts",
     number<&Engine::grouped_compute>, least_share, 1},
    {"activations", "l2_over_memory", "rate of L2 over that of memory",
     number<&Engine::l2_over_memory>, 1, 100},
    {"kernel", "time", "fixed cost of one kernel", time_of<&Engine::kernel>, 0, most_seconds},
    {"scale_up", "rate", "share of the scale-up fabric's rate", number<&Engine::scale_up>,
     least_share, 1},
    {"scale_up", "latency", "of one collective", time_of<&Engine::collective>, 0, most_seconds},
    {"network", "rate", "share of the NICs' rate", number<&Engine::nic>, least_share, 1},
    {"network", "latency", "of one message", time_of<&Engine::network>, 0, most_seconds},
    {"step", "between", "host time between two steps", time_of<&Engine::between_steps>, 0,
     most_seconds},
    {"formats", "published_attention", "attention and cache in BF16",
     flag<&Engine::published_attention>},
    {"pools", "cut_at_core", "AFD with the core alone on one side", flag<&Engine::cuts_at_core>},
    {"memory", "usable", "share of device memory",
     [](Engine& e) -> double& { return e.memory.usable; }, least_share, 1},
    {"memory", "of_visible", "of what programs see, not of the printed size",
     [](Engine& e) -> bool& { return e.memory.of_visible; }},
    {"memory", "behind_weights", "of what weights and reserve leave",
     [](Engine& e) -> bool& { return e.memory.behind_weights; }},
    {"memory", "reserve", "workspace of prompts, graphs, NCCL",
     [](Engine& e) -> Bytes& { return e.memory.reserve; }, 0, most_bytes},
    {"memory", "most_reserved", "share of the memory that is at most reserved",
     [](Engine& e) -> double& { return e.memory.most_reserved; }, 0, 1},
    {"kernels", "combine", "of partial FFN results", kernel_count<&KernelCounts::combine>, 0,
     most_kernels},
    {"kernels", "norm_quantise", "before the projections",
     kernel_count<&KernelCounts::norm_quantise>, 0, most_kernels},
    {"kernels", "rope_cache_write", "norms, rope, cache write",
     kernel_count<&KernelCounts::rope_cache_write>, 0, most_kernels},
    {"kernels", "core", "attention, joining its parts", kernel_count<&KernelCounts::core>, 1,
     most_kernels},
    {"kernels", "state_update", "recurrent attention", kernel_count<&KernelCounts::state_update>, 1,
     most_kernels},
    {"kernels", "quantise", "of the core's output", kernel_count<&KernelCounts::quantise>, 0,
     most_kernels},
    {"kernels", "norm", "before the FFN", kernel_count<&KernelCounts::norm>, 0, most_kernels},
    {"kernels", "top_k_pack", "routing, packing", kernel_count<&KernelCounts::top_k_pack>, 0,
     most_kernels},
    {"kernels", "activation", "between gate, up and down", kernel_count<&KernelCounts::activation>,
     0, most_kernels},
    {"kernels", "embedding", "of the tokens", kernel_count<&KernelCounts::embedding>, 0,
     most_kernels},
    {"kernels", "head", "LM head, joining its parts", kernel_count<&KernelCounts::head>, 1,
     most_kernels},
    {"kernels", "sampling", "of the next token", kernel_count<&KernelCounts::sampling>, 0,
     most_kernels},
    {"launches", "gqa", "kernels of a GQA or MFA layer", launched<&LaunchedKernels::gqa>, 0,
     most_kernels},
    {"launches", "mla", "of an MLA layer", launched<&LaunchedKernels::mla>, 0, most_kernels},
    {"launches", "core", "of a core alone, where AFD is cut at it",
     launched<&LaunchedKernels::core>, 0, most_kernels},
    {"launches", "indexer", "of an indexer, on top", launched<&LaunchedKernels::indexer>, 0,
     most_kernels},
    {"launches", "recurrent", "of a recurrent layer", launched<&LaunchedKernels::recurrent>, 0,
     most_kernels},
    {"launches", "dense", "of a dense FFN", launched<&LaunchedKernels::dense>, 0, most_kernels},
    {"launches", "router", "of routing, beside the attention", launched<&LaunchedKernels::router>,
     0, most_kernels},
    {"launches", "moe", "of a mixture of experts", launched<&LaunchedKernels::moe>, 0,
     most_kernels},
    {"launches", "shared", "of shared experts", launched<&LaunchedKernels::shared>, 0,
     most_kernels},
    {"launches", "quantise_gqa", "quantising GQA inputs", launched<&LaunchedKernels::quantise_gqa>,
     0, most_kernels},
    {"launches", "quantise_mla", "quantising MLA inputs", launched<&LaunchedKernels::quantise_mla>,
     0, most_kernels},
    {"launches", "quantise_ffn", "quantising FFN inputs", launched<&LaunchedKernels::quantise_ffn>,
     0, most_kernels},
    {"launches", "mla_blocks", "more, for MLA in FP8 blocks",
     launched<&LaunchedKernels::mla_blocks>, 0, most_kernels},
    {"served", "step", "host time from step to step",
     [](Engine& e) -> Seconds& { return e.time.step; }, 0, most_seconds},
    {"served", "request", "of it for each request",
     [](Engine& e) -> Seconds& { return e.time.request; }, 0, most_seconds},
    {"served", "draft", "of it for each drafted token",
     [](Engine& e) -> Seconds& { return e.time.draft; }, 0, most_seconds},
    {"served", "all_reduce_latency", "over the shipped table",
     [](Engine& e) -> double& { return e.time.all_reduce_latency; }, least_factor, most_factor},
    {"served", "all_reduce_rate", "time over the shipped rate",
     [](Engine& e) -> double& { return e.time.all_reduce_rate; }, least_factor, most_factor},
    {"served", "exchange_latency", "for each doubling of GPUs",
     [](Engine& e) -> Seconds& { return e.time.exchange_latency; }, 0, most_seconds},
    {"served", "routing", "exponent of expert popularity",
     [](Engine& e) -> double& { return e.time.routing; }, 0, 4},
    {"served", "routing_noise", "busiest ranks as tokens choose",
     [](Engine& e) -> bool& { return e.time.routing_noise; }},
    {"network_exchange", "latency", "dispatch or combine over NICs",
     [](Engine& e) -> Seconds& { return e.time.over_network.latency; }, 0, most_seconds},
    {"network_exchange", "rate", "share of the NICs' rate",
     [](Engine& e) -> double& { return e.time.over_network.rate; }, least_share, 1},
    {"network_exchange", "scale_up", "share of the fabric's rate",
     [](Engine& e) -> double& { return e.time.over_network.scale_up; }, least_share, 1},
    {"network_exchange", "balance", "busiest rank over the mean",
     [](Engine& e) -> double& { return e.time.over_network.balance; }, 1, most_factor},
    {"runtime", "change_over", "between unlike kernels; 0: no direct stores",
     [](Engine& e) -> Seconds& { return e.runtime.change_over; }, 0, most_seconds},
    {"runtime", "kernels", "around the experts: placing, packing, sum",
     [](Engine& e) -> double& { return e.runtime.kernels; }, 0, most_kernels},
    {"runtime", "l2", "share of L2's roof, weights read again",
     [](Engine& e) -> double& { return e.runtime.l2; }, least_share, 1},
    {"transfers", "latency", "of one message of AFD",
     [](Engine& e) -> Seconds& { return e.time.transfers.latency; }, 0, most_seconds},
    {"transfers", "in_line", "AFD traffic in line with the work",
     [](Engine& e) -> bool& { return e.time.transfers.in_line; }},
    {"ffn_pool", "expert_parallel", "whole experts unless cut is asked for",
     [](Engine& e) -> bool& { return e.time.ffn_pool.expert_parallel; }},
    {"hopper", "kernel", "one kernel inside a CUDA graph",
     [](Engine& e) -> Seconds& { return e.time.kernel.hopper; }, 0, most_seconds},
    {"hopper", "dense", "time over the roof, dense products",
     [](Engine& e) -> double& { return e.time.dense.hopper; }, least_factor, most_factor},
    {"hopper", "grouped", "experts", [](Engine& e) -> double& { return e.time.grouped.hopper; },
     least_factor, most_factor},
    {"hopper", "narrow", "experts of widened weights",
     [](Engine& e) -> double& { return e.time.narrow.hopper; }, least_factor, most_factor},
    {"hopper", "core", "attention cores", [](Engine& e) -> double& { return e.time.core.hopper; },
     least_factor, most_factor},
    {"hopper", "exchange", "share of the scale-up fabric's rate",
     [](Engine& e) -> double& { return e.time.exchange_share.hopper; }, least_share, 1},
    {"hopper", "between_series", "spread of log errors between series",
     [](Engine& e) -> double& { return e.time.spread.hopper.between; }, 0, 1},
    {"hopper", "within_series", "spread of log errors within series",
     [](Engine& e) -> double& { return e.time.spread.hopper.within; }, 0, 1},
    {"blackwell", "kernel", "one kernel inside a CUDA graph",
     [](Engine& e) -> Seconds& { return e.time.kernel.blackwell; }, 0, most_seconds},
    {"blackwell", "dense", "time over the roof, dense products",
     [](Engine& e) -> double& { return e.time.dense.blackwell; }, least_factor, most_factor},
    {"blackwell", "grouped", "experts",
     [](Engine& e) -> double& { return e.time.grouped.blackwell; }, least_factor, most_factor},
    {"blackwell", "narrow", "experts of widened weights",
     [](Engine& e) -> double& { return e.time.narrow.blackwell; }, least_factor, most_factor},
    {"blackwell", "core", "attention cores",
     [](Engine& e) -> double& { return e.time.core.blackwell; }, least_factor, most_factor},
    {"blackwell", "exchange", "share of the scale-up fabric's rate",
     [](Engine& e) -> double& { return e.time.exchange_share.blackwell; }, least_share, 1},
    {"blackwell", "between_series", "spread of log errors between series",
     [](Engine& e) -> double& { return e.time.spread.blackwell.between; }, 0, 1},
    {"blackwell", "within_series", "spread of log errors within series",
     [](Engine& e) -> double& { return e.time.spread.blackwell.within; }, 0, 1},
    {"prompts", "dense", "share of the peak, dense models",
     [](Engine& e) -> double& { return e.time.prompts.dense; }, least_share, 1},
    {"prompts", "experts", "share of the peak, experts",
     [](Engine& e) -> double& { return e.time.prompts.experts; }, least_share, 1},
    {"prompts", "outside_graphs", "a layer of a step they join",
     [](Engine& e) -> Seconds& { return e.time.prompts.outside_graphs; }, 0, most_seconds},
});

}  // namespace

std::string_view base_unit(const EngineParameter& parameter) {
  if (std::holds_alternative<EngineParameter::Time>(parameter.at)) return "s";
  return std::holds_alternative<EngineParameter::Size>(parameter.at) ? "B" : "";
}

std::span<const EngineParameter> engine_parameters() { return parameters; }

}  // namespace afford
