#include "study/kernel_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "load/source_reader.hpp"
#include "text/csv.hpp"
#include "text/file.hpp"
#include "text/number.hpp"
#include "text/statistics.hpp"

namespace afford::study {
namespace {

namespace fs = std::filesystem;
using yaml::Section;

// ---- Kernels

Kernel gqa(double heads, double kv_heads, double head_dim, double batch, double context,
           Dtype storage) {
  return {.kind = Kernel::Kind::attention,
          .attention = Gqa{.query_heads = static_cast<std::int64_t>(heads),
                           .kv_heads = static_cast<std::int64_t>(kv_heads),
                           .head_dim = static_cast<std::int64_t>(head_dim)},
          .storage = storage,
          .requests = batch,
          .context = context};
}

/// DeepSeek's absorbed form: a latent of 512 and 64 rotary dimensions a token, for all heads.
Kernel mla(double heads, double batch, double context, Dtype storage) {
  return {.kind = Kernel::Kind::attention,
          .attention = Mla{.query_heads = static_cast<std::int64_t>(heads),
                           .kv_rank = 512,
                           .nope_dim = 128,
                           .rope_dim = 64,
                           .value_dim = 128},
          .storage = storage,
          .requests = batch,
          .context = context};
}

Kernel grouped(Kernel::Kind kind, Dtype dtype, double hidden, double intermediate, double experts,
               double tokens) {
  return {.kind = kind,
          .attention = {},
          .compute = dtype,
          .storage = dtype,
          .experts = experts,
          .tokens = tokens,
          .hidden = hidden,
          .intermediate = intermediate};
}

Kernel dense_kernel(Dtype dtype, double m, double n, double k) {
  return {.kind = Kernel::Kind::dense,
          .attention = {},
          .compute = dtype,
          .storage = dtype,
          .m = m,
          .n = n,
          .k = k};
}

// ---- validation/kernels.yaml

constexpr double largest = 1e9;

/// The numbers of one point: a list of `count`.
std::vector<double> numbers_of(const yaml::Node& item, const std::string& file, size_t count) {
  std::vector<double> numbers;
  for (const yaml::Node& part : item.items) {
    const auto number =
        part.kind == yaml::Node::Kind::scalar ? parse_real(part.text) : std::nullopt;
    if (!number || *number <= 0 || *number > largest)
      throw InputError({file, part.line, part.column}, "points: expected a number more than zero");
    numbers.push_back(*number);
  }
  if (item.kind != yaml::Node::Kind::sequence || numbers.size() != count)
    throw InputError({file, item.line, item.column},
                     fmt::format("points: expected a list of {} numbers", count));
  return numbers;
}

std::vector<KernelPoint> read_points_of(const Section& in, const std::string& file) {
  const Dtype compute = in.choice("compute", dtype_names),
              storage = in.choice("storage", dtype_names);
  const auto each = [&](size_t count, auto make) {
    std::vector<KernelPoint> points;
    for (const yaml::Node& item : in.value("points", yaml::Node::Kind::sequence).items) {
      const std::vector<double> x = numbers_of(item, file, count);
      KernelPoint point = make(x);
      point.kernel.compute = compute;
      point.measured_us = x.back();
      points.push_back(std::move(point));
    }
    return points;
  };
  if (in.has("gqa")) {
    const Section shape = in.child("gqa", {"query_heads", "kv_heads", "head_dim"});
    const double q = shape.real("query_heads", 1, 4096), kv = shape.real("kv_heads", 1, 4096),
                 d = shape.real("head_dim", 1, 4096);
    return each(3, [&](const auto& x) {
      return KernelPoint{fmt::format("batch {} at {}", x[0], x[1]),
                         gqa(q, kv, d, x[0], x[1], storage)};
    });
  }
  if (in.has("mla")) {
    const double q = in.child("mla", {"query_heads"}).real("query_heads", 1, 4096);
    return each(3, [&](const auto& x) {
      return KernelPoint{fmt::format("batch {} at {}", x[0], x[1]), mla(q, x[0], x[1], storage)};
    });
  }
  if (in.has("gate_up")) {
    const Section shape = in.child("gate_up", {"hidden", "intermediate"});
    const double h = shape.real("hidden", 1, 1e6), i = shape.real("intermediate", 1, 1e6);
    return each(3, [&](const auto& x) {
      return KernelPoint{fmt::format("{} experts of {}", x[0], x[1]),
                         grouped(Kernel::Kind::gate_up, storage, h, i, x[0], x[0] * x[1])};
    });
  }
  return each(4, [&](const auto& x) {
    return KernelPoint{fmt::format("{} x {} x {}", x[0], x[1], x[2]),
                       dense_kernel(storage, x[0], x[1], x[2])};
  });
}

// ---- Folders of tables

/// A CSV whose cells are asked for by the name of their column.
class NamedCsv {
 public:
  explicit NamedCsv(const fs::path& path)
      : csv_(path.string(), read_whole(path, size_t{64} << 20, "table")) {
    while (std::optional<CsvRow> row = csv_.next()) rows_.push_back(std::move(*row));
    if (rows_.empty())
      throw InputError({path.string(), 0, 0}, "expected a table, got an empty file");
    for (size_t i = 0; i < rows_[0].fields.size(); ++i) columns_[rows_[0].fields[i].text] = i;
  }
  [[nodiscard]] size_t rows() const { return rows_.size() - 1; }
  [[nodiscard]] const std::string& text(size_t row, const std::string& column) const {
    const CsvRow& at = rows_[row + 1];
    const size_t field = index(column);
    if (field >= at.fields.size())
      throw InputError(csv_.place(at, 0), fmt::format("no cell of column '{}'", column));
    return at.fields[field].text;
  }
  [[nodiscard]] double number(size_t row, const std::string& column) const {
    const std::string& found = text(row, column);
    if (const auto value = parse_real(found)) return *value;
    throw InputError(csv_.place(rows_[row + 1], index(column)),
                     fmt::format("{}: expected a number, got '{}'", column, found));
  }

 private:
  [[nodiscard]] size_t index(const std::string& column) const {
    const auto at = columns_.find(column);
    if (at == columns_.end())
      throw InputError({csv_.file(), 1, 1}, fmt::format("missing column '{}'", column));
    return at->second;
  }
  CsvReader csv_;
  std::vector<CsvRow> rows_;
  std::map<std::string, size_t> columns_;
};

/// Tables by name, in the order they first appear.
class Collector {
 public:
  void add(const std::string& name, const std::string& chip, const std::string& kernel,
           const std::string& source, double tolerance_pct, KernelPoint point) {
    const auto found = std::find_if(tables_.begin(), tables_.end(),
                                    [&](const KernelTable& t) { return t.name == name; });
    KernelTable& table =
        found != tables_.end()
            ? *found
            : tables_.emplace_back(KernelTable{name, chip, kernel, source, tolerance_pct, {}});
    table.points.push_back(std::move(point));
  }
  [[nodiscard]] std::vector<KernelTable> take() { return std::move(tables_); }

 private:
  std::vector<KernelTable> tables_;
};

// The median deviation accepted of kernels that are not ours: their makers tune for other shapes
// than we.
constexpr double attention_tolerance = 25, gemm_tolerance = 30, experts_tolerance = 40;

Dtype dtype_of(const std::string& text) {
  return text == "bfloat16" || text == "bf16" ? Dtype::bf16 : Dtype::fp8;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Rows of less than 16 requests hold 25 to 35 us of host time and are left out.
void add_infersim_attention(Collector& out, const fs::path& path) {
  const NamedCsv csv(path);
  for (size_t r = 0; r < csv.rows(); ++r) {
    const double batch = csv.number(r, "batch"), context = csv.number(r, "kv_len"),
                 heads = csv.number(r, "q_heads");
    if (batch < 16) continue;
    const Dtype storage = dtype_of(csv.text(r, "kv_dtype"));
    const bool latent = csv.text(r, "attn").starts_with("MLA");
    const double kv_heads = csv.number(r, "kv_heads"), dim = csv.number(r, "head_dim");
    const std::string name = fmt::format("{} {}, {} cache", csv.text(r, "gpu"),
                                         latent ? "MLA" : "GQA", name_of(storage));
    out.add(name, lower(csv.text(r, "gpu")), csv.text(r, "library"),
            csv.text(r, "source").substr(0, 26), attention_tolerance,
            {fmt::format("{:.0f}/{:.0f} heads of {:.0f}, batch {:.0f} at {:.0f}", heads, kv_heads,
                         dim, batch, context),
             latent ? mla(heads, batch, context, storage)
                    : gqa(heads, kv_heads, dim, batch, context, storage),
             csv.number(r, "latency_us")});
  }
}

/// Masked rows under 8 tokens an expert are left out: half of their experts were empty, and which
/// is not recorded.
void add_infersim_gemms(Collector& out, const fs::path& path) {
  constexpr double fewest_tokens = 8;
  const NamedCsv csv(path);
  for (size_t r = 0; r < csv.rows(); ++r) {
    const std::string gpu = csv.text(r, "gpu"), kernel = csv.text(r, "kernel"),
                      source = csv.text(r, "source").substr(0, 26);
    const double n = csv.number(r, "n"), k = csv.number(r, "k"), us = csv.number(r, "latency_us");
    if (kernel == "DeepGEMM dense") {
      const double m = csv.number(r, "m_total");
      out.add(gpu + " dense GEMM", lower(gpu), kernel, source, gemm_tolerance,
              {fmt::format("{:.0f} x {:.0f} x {:.0f}", m, n, k), dense_kernel(Dtype::fp8, m, n, k),
               us});
      continue;
    }
    const double experts = csv.number(r, "local_experts"),
                 each = csv.number(r, "tokens_per_expert");
    if (each < fewest_tokens) continue;
    const bool up = kernel.ends_with("up_proj"),
               masked = kernel.find("masked") != std::string::npos;
    out.add(fmt::format("{} grouped GEMM, {}", gpu, masked ? "masked" : "contiguous"), lower(gpu),
            masked ? "DeepGEMM masked" : "DeepGEMM contiguous", source, experts_tolerance,
            {fmt::format("{:.0f} experts of {:.0f}, {:.0f} x {:.0f}", experts, each, n, k),
             grouped(up ? Kernel::Kind::gate_up : Kernel::Kind::down, Dtype::fp8, up ? k : n,
                     up ? n / 2 : k, experts, experts * each),
             us});
  }
}

void add_h200_attention(Collector& out, const fs::path& path, bool latent) {
  const NamedCsv csv(path);
  for (size_t r = 0; r < csv.rows(); ++r) {
    if (!csv.text(r, "flag").empty() || (latent && !csv.text(r, "scope").starts_with("core")))
      continue;
    const double batch = csv.number(r, "batch"), context = csv.number(r, "kv_len");
    const double heads = csv.number(r, latent ? "q_heads_local" : "q_heads");
    const Dtype storage = dtype_of(csv.text(r, "kv_dtype"));
    const double kv_heads = latent ? 1 : csv.number(r, "kv_heads"),
                 dim = latent ? 576 : csv.number(r, "head_dim");
    out.add(fmt::format("H200 {} {}, {} cache", csv.text(r, "framework"), latent ? "MLA" : "GQA",
                        name_of(storage)),
            "h200", csv.text(r, "kernel"), csv.text(r, "source").substr(0, 22), attention_tolerance,
            {fmt::format("{:.0f}/{:.0f} heads of {:.0f}, batch {:.0f} at {:.0f}", heads, kv_heads,
                         dim, batch, context),
             latent ? mla(heads, batch, context, storage)
                    : gqa(heads, kv_heads, dim, batch, context, storage),
             csv.number(r, "latency_us")});
  }
}

/// One rank's time; the tokens are those of the whole expert-parallel group. Balanced routing only.
void add_h200_experts(Collector& out, const fs::path& path) {
  const NamedCsv csv(path);
  for (size_t r = 0; r < csv.rows(); ++r) {
    const std::string distribution = csv.text(r, "distribution");
    if (!csv.text(r, "flag").empty() || (distribution != "balanced" && distribution != "uniform"))
      continue;
    const double ep = csv.number(r, "moe_ep"), hidden = csv.number(r, "hidden");
    const double intermediate = csv.number(r, "inter") / csv.number(r, "moe_tp");
    const double copies = csv.number(r, "num_tokens_ep_group") * csv.number(r, "topk") / ep;
    const double experts = std::min(csv.number(r, "num_experts") / ep, copies);
    const Dtype dtype = dtype_of(csv.text(r, "dtype"));
    out.add(fmt::format("H200 {} experts, {} ({})", csv.text(r, "framework"), csv.text(r, "dtype"),
                        csv.text(r, "kernel")),
            "h200", csv.text(r, "kernel"), csv.text(r, "source").substr(0, 22), experts_tolerance,
            {fmt::format("{:.0f} experts of {:.1f}, {:.0f} x {:.0f}", experts, copies / experts,
                         hidden, intermediate),
             grouped(Kernel::Kind::experts, dtype, hidden, intermediate, experts, copies),
             csv.number(r, "latency_us")});
  }
}

void add_h200_gemms(Collector& out, const fs::path& path) {
  const NamedCsv csv(path);
  for (size_t r = 0; r < csv.rows(); ++r) {
    if (!csv.text(r, "flag").empty()) continue;
    const double m = csv.number(r, "m"), n = csv.number(r, "n"), k = csv.number(r, "k");
    out.add(fmt::format("H200 {} dense GEMM, {}", csv.text(r, "framework"), csv.text(r, "dtype")),
            "h200", csv.text(r, "kernel"), csv.text(r, "source").substr(0, 22), gemm_tolerance,
            {fmt::format("{:.0f} x {:.0f} x {:.0f}", m, n, k),
             dense_kernel(dtype_of(csv.text(r, "dtype")), m, n, k), csv.number(r, "latency_us")});
  }
}

}  // namespace

std::vector<KernelTable> read_kernel_tables() {
  const std::string file = (data_folder() / "validation" / "kernels.yaml").string();
  const yaml::Node node = yaml::parse_file(file);
  const Section root = Section::root(file, node, "kernels", {"schema", "sources", "tables"});
  (void)root.integer("schema", {1, 1});
  const Sources sources = read_sources(root);
  std::vector<KernelTable> tables;
  for (const yaml::Node& item : root.value("tables", yaml::Node::Kind::sequence).items) {
    const Section in = root.element("tables", item,
                                    {"name", "chip", "kernel", "source", "tolerance_pct", "compute",
                                     "storage", "gqa", "mla", "gate_up", "dense", "points"});
    tables.push_back({.name = in.text("name"),
                      .chip = in.name("chip"),
                      .kernel = in.text("kernel"),
                      .source = cite(sources, read_source(in, sources)),
                      .tolerance_pct = in.real("tolerance_pct", 0, 100),
                      .points = read_points_of(in, file)});
    if (tables.back().points.empty()) in.fail("points", "expected at least one");
  }
  return tables;
}

std::vector<KernelTable> read_table_folder(const fs::path& folder) {
  Collector out;
  bool any = false;
  const auto with = [&](const char* name, auto add) {
    std::error_code error;
    if (!fs::exists(folder / name, error)) return;
    any = true;
    add(folder / name);
  };
  with("h200_gqa_decode.csv", [&](const fs::path& p) { add_h200_attention(out, p, false); });
  with("h200_mla_decode.csv", [&](const fs::path& p) { add_h200_attention(out, p, true); });
  with("h200_moe.csv", [&](const fs::path& p) { add_h200_experts(out, p); });
  with("h200_gemm.csv", [&](const fs::path& p) { add_h200_gemms(out, p); });
  with("a_attn_decode_infersim.csv", [&](const fs::path& p) { add_infersim_attention(out, p); });
  with("a_gemm_infersim.csv", [&](const fs::path& p) { add_infersim_gemms(out, p); });
  if (!any) {
    throw ValueError("table folder",
                     fmt::format(": {} holds none of h200_gqa_decode.csv, h200_mla_decode.csv, "
                                 "h200_moe.csv, h200_gemm.csv, "
                                 "a_attn_decode_infersim.csv, a_gemm_infersim.csv",
                                 folder.string()));
  }
  return out.take();
}

KernelCheck check_kernels(const KernelTable& table, const std::string& calibration) {
  std::vector<HardwareSpec> chips = load_hardware({table.chip});
  attach_calibrations(pointers_to(chips), calibration,
                      true);  // the experts' curve too: it is what is checked
  const Engine engine;
  const Machine machine(chips.front(), engine);
  KernelCheck check{.fidelity = fidelity_of(chips.front()), .predicted_us = {}};
  std::vector<double> deviations, sizes;
  for (const KernelPoint& point : table.points) {
    check.predicted_us.push_back(kernel_ops(point.kernel, machine).time() / microsecond);
    deviations.push_back(100 * (check.predicted_us.back() / point.measured_us - 1));
    sizes.push_back(std::fabs(deviations.back()));
  }
  check.worst = static_cast<size_t>(std::max_element(sizes.begin(), sizes.end()) - sizes.begin());
  check.median_pct = quantile(sizes, 0.5);
  check.p90_pct = quantile(sizes, 0.9);
  check.bias_pct = quantile(deviations, 0.5);
  check.within = check.median_pct <= table.tolerance_pct;
  return check;
}

}  // namespace afford::study
