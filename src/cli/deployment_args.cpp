#include "cli/deployment_args.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "cli/choose.hpp"
#include "error.hpp"
#include "load/calibrations.hpp"
#include "text/number.hpp"
#include "text/quantity.hpp"

namespace afford::cli {
namespace {

constexpr std::int64_t most_accelerators = 65536;

struct PoolText {
  std::string chip;
  std::int64_t instances = 0, accelerators = 0;
};

/// "h800:2x8".
PoolText parse_pool(const std::string& text, std::string_view flag) {
  const size_t colon = text.rfind(':'), x = text.find('x', colon == std::string::npos ? 0 : colon);
  if (colon != std::string::npos && x != std::string::npos) {
    const auto instances = parse_integer(text.substr(colon + 1, x - colon - 1)),
               each = parse_integer(text.substr(x + 1));
    if (instances && each && *instances >= 1 && *each >= 1 && *instances <= most_accelerators &&
        *each <= most_accelerators) {
      return {text.substr(0, colon), *instances, *each};
    }
  }
  throw UsageError(fmt::format(
      "{}: expected CHIP:INSTANCESxACCELERATORS such as h800:2x8, both at least 1, got '{}'", flag,
      text));
}

HardwareSpec chip_of(const PoolText& pool, const DeploymentArgs& args, std::string_view flag) {
  HardwareSpec chip = load_hardware({pool.chip}).front();
  const std::int64_t server = chip.server_accelerators.value;
  if (pool.accelerators > server && pool.accelerators > chip.scale_up_accelerators.value) {
    throw UsageError(fmt::format("{}: an instance of {} is larger than what {} joins by {} ({})",
                                 flag, pool.accelerators, chip.name, chip.scale_up_kind,
                                 chip.scale_up_accelerators.value));
  }
  apply_bandwidths(chip, args);
  return chip;
}

/// "tp", "ep", "tp8ep2".
FfnSplit parse_split(const std::string& text, const Pool& pool) {
  if (text.empty()) return {};
  if (text == "tp") return {pool.accelerators, 1};
  if (text == "ep") return {1, pool.size()};
  if (const auto split = parse_exact_split(text)) return *split;
  throw UsageError(
      fmt::format("--ffn-parallelism: expected tp, ep or tpXepY such as tp8ep2, got '{}'", text));
}

void require_batch(int batch, std::string_view flag) {
  if (batch < 1)
    throw UsageError(
        fmt::format("{}: expected the number of requests in flight, at least 1", flag));
}

/// "2048,2048,1024": one size for each micro-batch.
std::vector<std::int64_t> parse_sizes(const std::string& text) {
  constexpr size_t most = 64;
  std::vector<std::int64_t> sizes;
  for (size_t from = 0; !text.empty() && from <= text.size();) {
    const size_t comma = std::min(text.find(',', from), text.size());
    const auto size = parse_integer(text.substr(from, comma - from));
    if (!size || *size < 1 || *size > 1'000'000'000 || sizes.size() == most) {
      throw UsageError(fmt::format(
          "--micro-batch-sizes: expected 1 to {} sizes, each at least 1, such as 2048,2048,1024, "
          "got '{}'",
          most, text));
    }
    sizes.push_back(*size);
    from = comma + 1;
  }
  return sizes;
}

/// How many micro-batches, and the requests in all of them.
struct InFlight {
  std::int64_t batch = 0;
  int micro_batches = 0;
};

InFlight in_flight(const DeploymentArgs& args, const std::vector<std::int64_t>& sizes) {
  if (!sizes.empty()) {
    const std::int64_t sum = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
    if (args.micro_batches != 0 && static_cast<size_t>(args.micro_batches) != sizes.size()) {
      throw UsageError(fmt::format("--micro-batch-sizes: {} sizes for {} micro-batches",
                                   sizes.size(), args.micro_batches));
    }
    if (args.batch != 0 && args.batch != sum)
      throw UsageError(fmt::format("--micro-batch-sizes: add up to {}, not to the {} of --batch",
                                   sum, args.batch));
    return {sum, static_cast<int>(sizes.size())};
  }
  require_batch(args.batch, "--batch");
  const int micro_batches = args.micro_batches == 0 ? args.stages : args.micro_batches;
  if (args.batch % micro_batches != 0) {
    throw UsageError(
        fmt::format("--batch: {} requests do not divide into {} micro-batches; {} would",
                    args.batch, micro_batches, (args.batch / micro_batches + 1) * micro_batches));
  }
  return {args.batch, micro_batches};
}

Disaggregated disaggregated_of(const DeploymentArgs& args, Deployment& out,
                               const ModelSpec& model) {
  const PoolText attention = parse_pool(args.attention, "--attention"),
                 ffn = parse_pool(args.ffn, "--ffn");
  out.chips = {chip_of(attention, args, "--attention"), chip_of(ffn, args, "--ffn")};
  out.micro_batch_sizes = parse_sizes(args.micro_batch_sizes);
  const auto [batch, micro_batches] = in_flight(args, out.micro_batch_sizes);
  enum class Attention { dp, tp };
  constexpr std::pair<std::string_view, Attention> kinds[] = {{"dp", Attention::dp},
                                                              {"tp", Attention::tp}};
  const bool tensor =
      choose(kinds, args.attention_parallelism, "--attention-parallelism") == Attention::tp;
  Disaggregated d{
      .attention = {&out.chips[0], attention.instances, attention.accelerators},
      .ffn = {&out.chips[1], ffn.instances, ffn.accelerators},
      .batch = batch,
      .micro_batches = micro_batches,
      .attention_split = tensor ? AttentionSplit::tensor : AttentionSplit::shared_output,
      .ffn_split = {}};
  d.ffn_split = resolved(parse_split(args.ffn_parallelism, d.ffn), d.ffn, model);
  out.label = fmt::format("{}A{}F", attention.instances, ffn.instances);
  return d;
}

Colocated colocated_of(const DeploymentArgs& args, Deployment& out) {
  const PoolText pool = parse_pool(args.colocated, "--colocated");
  out.chips = {chip_of(pool, args, "--colocated")};
  require_batch(args.batch_per_gpu, "--batch-per-gpu");
  Colocated c{
      .pool = {&out.chips[0], pool.instances, pool.accelerators},
      .batch_per_gpu = args.batch_per_gpu,
      .micro_batches = args.micro_batches == 0 ? (args.tensor > 1 ? 1 : 2) : args.micro_batches,
      .tensor = args.tensor};
  if (args.tensor < 1 || pool.accelerators % args.tensor != 0) {
    throw UsageError(
        fmt::format("--tp: {} does not divide an instance of {}", args.tensor, pool.accelerators));
  }
  if (args.batch_per_gpu % c.micro_batches != 0) {
    throw UsageError(fmt::format("--batch-per-gpu: {} requests do not divide into {} micro-batches",
                                 args.batch_per_gpu, c.micro_batches));
  }
  out.label =
      args.tensor > 1 ? fmt::format("TP{}", args.tensor) : fmt::format("EP{}", c.pool.size());
  return c;
}

/// An upcycled model: every MoE layer with `experts` routed experts instead of its own.
void upcycle(ModelSpec& model, int experts) {
  if (experts == 0) return;
  bool any = false;
  for (FfnSpec& ffn : model.ffns) {
    if (Moe* moe = std::get_if<Moe>(&ffn.shape)) {
      if (experts > most_accelerators) {
        throw UsageError(
            fmt::format("--experts: expected at most {}, got {}", most_accelerators, experts));
      }
      if (experts < moe->active) {
        throw UsageError(fmt::format("--experts: {} is fewer than the {} that are active", experts,
                                     moe->active));
      }
      moe->experts = experts;
      any = true;
    }
  }
  if (!any) throw UsageError(fmt::format("--experts: {} has no MoE layer", model.name));
}

Routing routing_of(const std::string& text, const ModelSpec& model) {
  const Moe* layer = nullptr;
  for (const FfnSpec& ffn : model.ffns) {
    const Moe* moe = std::get_if<Moe>(&ffn.shape);
    if (moe == nullptr || text == "uniform") continue;
    if (layer != nullptr && (layer->experts != moe->experts || layer->active != moe->active)) {
      throw UsageError(fmt::format(
          "--routing: {} has MoE layers of different numbers of experts; expected uniform",
          model.name));
    }
    layer = moe;
  }
  if (text == "uniform" || layer == nullptr) return {};
  const std::int64_t experts = layer->experts;
  if (text.starts_with("zipf:")) {
    const auto exponent = parse_real(text.substr(5));
    if (exponent && *exponent >= 0 && *exponent <= 10) return zipf_routing(experts, *exponent);
  }
  if (text.ends_with(".csv")) return read_routing(text, experts, layer->active);
  throw UsageError(fmt::format(
      "--routing: expected uniform, zipf:EXPONENT from 0 to 10, or FILE.csv, got '{}'", text));
}

}  // namespace

std::optional<FfnSplit> parse_exact_split(const std::string& text) {
  const size_t ep = text.find("ep");
  if (!text.starts_with("tp") || ep == std::string::npos) return std::nullopt;
  const auto tensor = parse_integer(text.substr(2, ep - 2)),
             expert = parse_integer(text.substr(ep + 2));
  if (!tensor || !expert || *tensor < 1 || *expert < 1 || *tensor > most_accelerators ||
      *expert > most_accelerators) {
    return std::nullopt;
  }
  return FfnSplit{*tensor, *expert};
}

void apply_bandwidths(HardwareSpec& chip, const DeploymentArgs& args) {
  if (!args.nic.empty())
    chip.nic_bandwidth.value =
        positive<Dimension{.time = -1, .byte = 1}>(args.nic, "--nic-bandwidth");
  if (!args.scale_up.empty()) {
    chip.scale_up_bandwidth.value =
        positive<Dimension{.time = -1, .byte = 1}>(args.scale_up, "--scale-up-bandwidth");
  }
  for (const std::string& text : args.memory_bandwidths) {
    const size_t equals = text.find('=');
    if (equals != std::string::npos && text.substr(0, equals) != chip.name) continue;
    chip.memory_bandwidth.value = positive<Dimension{.time = -1, .byte = 1}>(
        equals == std::string::npos ? text : text.substr(equals + 1), "memory-bandwidth");
  }
}

void add_deployment(Verb& verb, DeploymentArgs& args) {
  add_what_ifs(verb, args);
  verb.text("--attention", args.attention,
            "Attention pool: CHIP:INSTANCESxACCELERATORS, such as h800:2x8", "POOL");
  verb.text("--ffn", args.ffn, "FFN pool, written the same way", "POOL");
  verb.integer("--batch", args.batch, "Requests in flight, over all micro-batches");
  verb.integer("--micro-batches", args.micro_batches,
               "Micro-batches in flight (0: as many as stages; co-located: 2)");
  verb.text("--micro-batch-sizes", args.micro_batch_sizes,
            "Uneven micro-batches of the pools: requests of each, such as 2048,2048,1024",
            "N,N,..");
  verb.integer("--stages", args.stages, "Stages of the pipeline: 3 (network as one) or 4");
  verb.text("--attention-parallelism", args.attention_parallelism,
            "Inside an attention instance: dp or tp", "dp|tp");
  verb.text("--ffn-parallelism", args.ffn_parallelism,
            "tp, ep or tpXepY; left out: tp in an instance, ep over them", "SPLIT");
  verb.text("--colocated", args.colocated, "Instead: everything on one pool, wide EP or --tp N",
            "POOL");
  verb.integer("--batch-per-gpu", args.batch_per_gpu,
               "Requests on each accelerator of --colocated");
  verb.integer("--tp", args.tensor, "Tensor-parallel ways of --colocated (1: wide EP)");
  add_conditions(verb, args);
}

void add_conditions(Verb& verb, DeploymentArgs& args) {
  verb.text("--overlap", args.overlap,
            "Collectives hidden behind other work: none, all-gather, all", "WHICH");
  verb.text("--routing", args.routing,
            "Expert load: uniform, zipf:EXPONENT or FILE.csv (expert,tokens)", "LOAD");
  verb.integer("--redundant-experts", args.redundant, "Extra copies of the hottest experts");
  verb.integer("--experts", args.experts, "Upcycle every MoE layer to N routed experts");
  verb.text("--tpot", args.tpot, "Limit on the time per output token", "TIME");
  verb.text("--nic-bandwidth", args.nic, "Rate of one NIC instead of the chip's", "RATE");
  verb.text("--scale-up-bandwidth", args.scale_up,
            "NVLink or like, one direction, instead of the chip's", "RATE");
  verb.text("--calibration", args.calibration,
            "Calibration of every chip of its architecture; none: stated default efficiencies",
            "NAME|none");
}

std::vector<Prepared> prepared_models(const DeploymentArgs& args) {
  if (args.redundant < 0 || args.redundant > 4096)
    throw UsageError("--redundant-experts: expected 0 to 4096");
  if (args.stages != 3 && args.stages != 4)
    throw UsageError(fmt::format("--stages: expected 3 or 4, got {}", args.stages));
  if (args.micro_batches < 0 || args.micro_batches > 64)
    throw UsageError("--micro-batches: expected 1 to 64");
  std::vector<Prepared> prepared;
  for (ModelSpec& model : models_of(args)) {
    upcycle(model, args.experts);
    std::vector<LayerShape> shapes = layer_shapes(model);
    prepared.push_back({std::move(model), std::move(shapes)});
  }
  return prepared;
}

std::vector<Deployment> deployments_of(const DeploymentArgs& args, const ModelSpec& model) {
  std::vector<Deployment> deployments;
  deployments.reserve(2);  // pools point into their deployment's chips
  if (!args.attention.empty() || !args.ffn.empty()) {
    if (args.attention.empty() || args.ffn.empty())
      throw UsageError("--attention and --ffn go together");
    Deployment& deployment = deployments.emplace_back();
    deployment.disaggregated = disaggregated_of(args, deployment, model);
  }
  if (!args.colocated.empty()) {
    Deployment& deployment = deployments.emplace_back();
    deployment.colocated = colocated_of(args, deployment);
  }
  if (deployments.empty()) {
    throw UsageError(
        "needs --attention POOL and --ffn POOL, or --colocated POOL (such as h800:2x8), or all "
        "three");
  }
  std::vector<HardwareSpec*> chips;
  for (Deployment& deployment : deployments) {
    for (HardwareSpec& chip : deployment.chips) chips.push_back(&chip);
  }
  apply_prices(chips, args.prices);
  attach_calibrations(chips, args.calibration);
  return deployments;
}

Setting setting_of(const DeploymentArgs& args, const Prepared& prepared, std::int64_t context) {
  constexpr std::pair<std::string_view, Overlap> overlaps[] = {
      {"none", Overlap::none}, {"all-gather", Overlap::all_gather}, {"all", Overlap::all}};
  return {.model = &prepared.model,
          .shapes = &prepared.shapes,
          .context = static_cast<double>(context),
          .speculation = speculation_of(args),
          .engine = {},
          .routing = routing_of(args.routing, prepared.model),
          .redundant_experts = args.redundant,
          .overlap = choose(overlaps, args.overlap, "--overlap"),
          .tpot_limit = positive<Dimension{.time = 1}>(args.tpot, "--tpot")};
}

std::string fidelity_of(const HardwareSpec& attention, const HardwareSpec& ffn) {
  const std::string first = fidelity_of(attention), last = fidelity_of(ffn);
  return first == last ? first : fmt::format("attention {}; ffn {}", first, last);
}

std::string fidelity_of(const Deployment& deployment) {
  return fidelity_of(deployment.chips.front(), deployment.chips.back());
}

std::string fidelity_text(const std::vector<HardwareSpec>& chips) {
  if (std::none_of(chips.begin(), chips.end(),
                   [](const HardwareSpec& chip) { return chip.measured != nullptr; }))
    return "roofline with default efficiencies, no calibration";
  std::vector<std::string> texts;
  for (const HardwareSpec& chip : chips) {
    std::string text = fmt::format("{} {}{}", chip.name, fidelity_of(chip),
                                   chip.measured == nullptr ? " with default efficiencies" : "");
    if (std::find(texts.begin(), texts.end(), text) == texts.end())
      texts.push_back(std::move(text));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

std::vector<std::string> beyond_measured(const Deployment& deployment, const Setting& setting) {
  std::vector<std::string> names;
  constexpr double share =
      0.05;  // of its stage: what is shorter, such as a router, does not decide
  const auto add = [&](const OpList& ops) {
    for (const Op& op : ops) {
      if (op.beyond && op.time > share * ops.time() &&
          std::find(names.begin(), names.end(), op.name) == names.end())
        names.emplace_back(op.name);
    }
  };
  for (size_t kind = 0; kind < setting.shapes->size(); ++kind) {
    const StageOps ops = deployment.disaggregated
                             ? stage_ops(*deployment.disaggregated, setting, kind)
                             : stage_ops(*deployment.colocated, setting, kind);
    add(ops.attention), add(ops.ffn);
  }
  return names;
}

Interval interval_of(const Deployment& deployment, const Setting& setting) {
  const auto step_at = [&](double residual) {
    Setting moved = setting;
    moved.residual = residual;
    return deployment.disaggregated ? evaluate(*deployment.disaggregated, moved).step
                                    : evaluate(*deployment.colocated, moved).step;
  };
  const Seconds step = step_at(0);
  return {.low = step_at(-1) / step, .high = step_at(1) / step};
}

namespace {

std::string too_large(std::string_view pool, const MemoryUse& use, std::int64_t largest_batch) {
  if (use.weights > use.capacity) {
    return fmt::format("{}weights alone need {} of {} an accelerator", pool, human(use.weights),
                       human(use.capacity));
  }
  return fmt::format("{}needs {} of {} an accelerator; a batch of {} fits", pool,
                     human(use.total()), human(use.capacity), largest_batch);
}

}  // namespace

std::string reason(const Evaluation& e, const Setting& setting) {
  switch (e.verdict) {
    case Verdict::feasible:
      return "";
    case Verdict::slow:
      return fmt::format("TPOT above {}", human(setting.tpot_limit));
    case Verdict::ffn_memory:
      return too_large("FFN ", e.ffn_memory, e.largest_batch);
    case Verdict::attention_memory:
      break;
  }
  return too_large("", e.attention_memory, e.largest_batch);
}

}  // namespace afford::cli
