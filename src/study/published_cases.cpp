#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "load/library.hpp"
#include "load/source_reader.hpp"
#include "study/validation.hpp"
#include "text/number.hpp"
#include "yaml/section.hpp"

namespace afford::study {
namespace {

using yaml::Section;

constexpr std::pair<std::string_view, CaseKind> kind_names[] = {
    {"afd", CaseKind::afd},
    {"colocated", CaseKind::colocated},
    {"attention_layer", CaseKind::attention_layer},
    {"kernel", CaseKind::kernel},
    {"min_sparsity", CaseKind::min_sparsity},
    {"weak_card", CaseKind::weak_card}};

/// "h800:2x8".
PoolRequest read_pool(const Section& in, const std::string& key) {
  const std::string text = in.text(key);
  const size_t colon = text.rfind(':'), x = text.rfind('x');
  if (colon != std::string::npos && x != std::string::npos && x > colon) {
    const auto instances = parse_integer(text.substr(colon + 1, x - colon - 1));
    const auto each = parse_integer(text.substr(x + 1));
    if (instances && each && *instances >= 1 && *each >= 1) {
      const std::string chip = text.substr(0, colon);
      (void)named_at(in.place(key), [&] { return hardware_path(chip); });
      return {chip, *instances, *each};
    }
  }
  in.fail(key,
          fmt::format("expected CHIP:INSTANCESxACCELERATORS such as h800:2x8, got '{}'", text));
}

/// The pools of a case and its batch, which bounds and layers may leave out.
void set_deployment(const Section& in, PublishedCase& out, int micro_batches) {
  const std::int64_t batch = in.has("batch") ? in.integer("batch", {1, 1'000'000}) : 0;
  if (out.kind == CaseKind::afd) {
    AfdRequest& afd = out.request.afd.emplace();
    afd.attention = read_pool(in, "attention");
    afd.ffn = read_pool(in, "ffn");
    afd.batch = batch;
    afd.micro_batches = micro_batches;
    if (in.has("split")) afd.boundary = in.choice("split", boundary_names);
    return;
  }
  ColocatedRequest& colocated = out.request.colocated.emplace();
  colocated.pool = read_pool(in, "pool");
  colocated.batch_per_gpu = std::max<std::int64_t>(batch, 2);
  colocated.micro_batches = micro_batches;
  if (in.has("tensor")) colocated.tensor = in.integer("tensor", {1, 4096});
}

System read_system(const Section& list, const std::string& name, const Sources& sources) {
  const Section in =
      list.child(name, {"about", "source", "attention_dtype", "drafts", "acceptance", "redundant",
                        "micro_batches", "nic_bandwidth", "engine", "calibrated"});
  (void)read_source(in, sources);
  System system{.about = in.text("about"), .request = {}};
  system.calibrated = in.has("calibrated") && in.boolean("calibrated");
  DeploymentRequest& request = system.request;
  request.calibration = "none";
  request.tpot_limit = Seconds(10);  // a published run is a fact, whatever its TPOT
  if (in.has("attention_dtype"))
    request.what_if.formats.attention = in.choice("attention_dtype", compute_dtype_names);
  if (in.has("drafts"))
    request.what_if.speculation.drafts = static_cast<int>(in.integer("drafts", {1, 16}));
  if (in.has("acceptance")) request.what_if.speculation.acceptance = in.real("acceptance", 0, 1);
  if (in.has("redundant")) request.redundant_experts = in.integer("redundant", {0, 4096});
  if (in.has("micro_batches"))
    system.micro_batches = static_cast<int>(in.integer("micro_batches", {1, 64}));
  if (in.has("nic_bandwidth"))
    request.nic_bandwidth = in.quantity<Dimension{.time = -1, .byte = 1}>("nic_bandwidth");
  request.engine = in.has("engine") ? in.name("engine") : "ideal";
  return system;
}

PublishedCase read_case(const Section& root, const yaml::Node& item, const PublishedCases& cases) {
  const Section in = root.element(
      "cases", item,
      {"name", "system", "kind", "quantity", "model", "attention", "ffn", "split", "pool", "tensor",
       "drafts", "weight_dtype", "batch", "context", "published", "tolerance_pct", "source"});
  PublishedCase out{.name = in.text("name"),
                    .system = in.text("system"),
                    .quantity = in.text("quantity"),
                    .source = read_source(in, cases.sources)};
  const auto system = cases.systems.find(out.system);
  if (system == cases.systems.end())
    in.fail("system", fmt::format("no system '{}' in 'systems'", out.system));
  out.kind = in.choice("kind", kind_names);
  out.published = in.real("published", 1e-9, 1e15);
  out.tolerance_pct = in.real("tolerance_pct", 0, 100);
  out.request = system->second.request;
  out.request.models = {in.text("model")};
  (void)named_at(in.place("model"), [&] { return model_path(out.request.models.front()); });
  if (in.has("context")) out.context = in.integer("context", {1, 1'000'000'000});
  if (in.has("drafts"))
    out.request.what_if.speculation.drafts = static_cast<int>(in.integer("drafts", {1, 16}));
  if (in.has("weight_dtype"))
    out.request.what_if.formats.weights = in.choice("weight_dtype", dtype_names);
  set_deployment(in, out, system->second.micro_batches);
  return out;
}

}  // namespace

PublishedCases read_published_cases(const yaml::Node& node, const std::string& file) {
  const Section root =
      Section::root(file, node, "validation", {"schema", "sources", "systems", "cases"});
  PublishedCases cases{.sources = read_sources(root), .systems = {}, .list = {}};
  const Section systems = root.names("systems");
  for (const std::string& name : systems.keys())
    cases.systems[name] = read_system(systems, name, cases.sources);
  for (const yaml::Node& item : root.value("cases", yaml::Node::Kind::sequence).items) {
    cases.list.push_back(read_case(root, item, cases));
  }
  if (cases.list.empty()) root.fail("cases", "expected at least one case");
  return cases;
}

}  // namespace afford::study
