#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "error.hpp"
#include "study/kernel_tables.hpp"
#include "study/table_kernels.hpp"
#include "text/csv.hpp"
#include "text/file.hpp"
#include "text/number.hpp"

namespace afford::study {
namespace {

namespace fs = std::filesystem;

/// A CSV whose cells are asked for by the name of their column.
class NamedCsv {
 public:
  explicit NamedCsv(const fs::path& path)
      : csv_(path.string(), read_whole(path, size_t{64} << 20, "table")) {
    while (std::optional<CsvRow> row = csv_.next()) rows_.push_back(std::move(*row));
    if (rows_.empty())
      throw InputError({path.string(), 0, 0}, "expected a table, got an empty file");
    for (size_t i = 0; i < rows_[0].fields.size(); ++i) {
      const std::string& name = rows_[0].fields[i].text;
      if (!columns_.emplace(name, i).second)
        throw InputError(csv_.place(rows_[0], i),
                         fmt::format("column '{}' stands here a second time", name));
    }
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
    constexpr double most = 1e9;
    const std::string& found = text(row, column);
    if (const auto value = parse_real(found); value && *value > 0 && *value <= most) return *value;
    throw InputError(
        csv_.place(rows_[row + 1], index(column)),
        fmt::format("{}: expected a number above 0, at most {:g}, got '{}'", column, most, found));
  }
  /// Heads and their dimensions.
  [[nodiscard]] double whole(size_t row, const std::string& column) const {
    constexpr double most = 65'536;
    const double found = number(row, column);
    if (found == std::floor(found) && found <= most) return found;
    throw InputError(csv_.place(rows_[row + 1], index(column)),
                     fmt::format("{}: expected a whole number, at most {:g}, got '{}'", column,
                                 most, text(row, column)));
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
  /// `head` is the table's when it is new, without points.
  void add(const KernelTable& head, KernelPoint point) {
    const auto found = std::find_if(tables_.begin(), tables_.end(),
                                    [&](const KernelTable& t) { return t.name == head.name; });
    KernelTable& table = found != tables_.end() ? *found : tables_.emplace_back(head);
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

std::string attention_name(const AttentionShapeAt& at) {
  return fmt::format("{:.0f}/{:.0f} heads of {:.0f}, batch {:.0f} at {:.0f}", at.query_heads,
                     at.kv_heads, at.head_dim, at.requests, at.context);
}

KernelPoint attention_point(const AttentionShapeAt& at, bool latent, double us) {
  return {attention_name(at), latent ? mla_kernel(at) : gqa_kernel(at), us};
}

/// M tokens through a matrix of N x K.
struct Product {
  double m = 0, n = 0, k = 0;
};
KernelPoint dense_point(const Product& p, Dtype dtype, double us) {
  return {fmt::format("{:.0f} x {:.0f} x {:.0f}", p.m, p.n, p.k),
          dense_kernel(dtype, p.m, p.n, p.k), us};
}

/// Rows of less than 16 requests hold 25 to 35 us of host time and are left out.
void add_infersim_attention(Collector& out, const fs::path& path) {
  constexpr double fewest_requests = 16;
  const NamedCsv csv(path);
  for (size_t r = 0; r < csv.rows(); ++r) {
    const AttentionShapeAt at{.query_heads = csv.whole(r, "q_heads"),
                              .kv_heads = csv.whole(r, "kv_heads"),
                              .head_dim = csv.whole(r, "head_dim"),
                              .requests = csv.number(r, "batch"),
                              .context = csv.number(r, "kv_len"),
                              .storage = dtype_of(csv.text(r, "kv_dtype"))};
    if (at.requests < fewest_requests) continue;
    const bool latent = csv.text(r, "attn").starts_with("MLA");
    const std::string gpu = csv.text(r, "gpu");
    out.add(
        {.name = fmt::format("{} {}, {} cache", gpu, latent ? "MLA" : "GQA", name_of(at.storage)),
         .chip = lower(gpu),
         .kernel = csv.text(r, "library"),
         .source = csv.text(r, "source").substr(0, 26),
         .tolerance_pct = attention_tolerance,
         .points = {}},
        attention_point(at, latent, csv.number(r, "latency_us")));
  }
}

/// A grouped GEMM of InferSim's tables: `n` x `k` is the weight matrix of each expert.
KernelPoint infersim_grouped_point(const NamedCsv& csv, size_t r, bool up) {
  const double n = csv.number(r, "n"), k = csv.number(r, "k");
  const double experts = csv.number(r, "local_experts"), each = csv.number(r, "tokens_per_expert");
  const ExpertsAt at{.kind = up ? Kernel::Kind::gate_up : Kernel::Kind::down,
                     .dtype = Dtype::fp8,
                     .hidden = up ? k : n,
                     .intermediate = up ? n / 2 : k,
                     .experts = experts,
                     .tokens = experts * each};
  return {fmt::format("{:.0f} experts of {:.0f}, {:.0f} x {:.0f}", experts, each, n, k),
          experts_kernel(at), csv.number(r, "latency_us")};
}

/// Masked rows under 8 tokens an expert are left out: half of their experts were empty, and which
/// is not recorded.
void add_infersim_gemms(Collector& out, const fs::path& path) {
  constexpr double fewest_tokens = 8;
  const NamedCsv csv(path);
  for (size_t r = 0; r < csv.rows(); ++r) {
    const std::string gpu = csv.text(r, "gpu"), kernel = csv.text(r, "kernel");
    KernelTable head{.name = gpu + " dense GEMM",
                     .chip = lower(gpu),
                     .kernel = kernel,
                     .source = csv.text(r, "source").substr(0, 26),
                     .tolerance_pct = gemm_tolerance,
                     .points = {}};
    if (kernel == "DeepGEMM dense") {
      out.add(head, dense_point({csv.number(r, "m_total"), csv.number(r, "n"), csv.number(r, "k")},
                                Dtype::fp8, csv.number(r, "latency_us")));
      continue;
    }
    if (csv.number(r, "tokens_per_expert") < fewest_tokens) continue;
    const bool masked = kernel.find("masked") != std::string::npos;
    head.name = fmt::format("{} grouped GEMM, {}", gpu, masked ? "masked" : "contiguous");
    head.kernel = masked ? "DeepGEMM masked" : "DeepGEMM contiguous";
    head.tolerance_pct = experts_tolerance;
    out.add(head, infersim_grouped_point(csv, r, kernel.ends_with("up_proj")));
  }
}

/// What the tables of aiconfigurator say of a row of the H200.
KernelTable h200_head(const NamedCsv& csv, size_t r, std::string name, double tolerance_pct) {
  return {.name = std::move(name),
          .chip = "h200",
          .kernel = csv.text(r, "kernel"),
          .source = csv.text(r, "source").substr(0, 22),
          .tolerance_pct = tolerance_pct,
          .points = {}};
}

void add_h200_attention(Collector& out, const fs::path& path, bool latent) {
  const NamedCsv csv(path);
  for (size_t r = 0; r < csv.rows(); ++r) {
    if (!csv.text(r, "flag").empty() || (latent && !csv.text(r, "scope").starts_with("core")))
      continue;
    const AttentionShapeAt at{.query_heads = csv.whole(r, latent ? "q_heads_local" : "q_heads"),
                              .kv_heads = latent ? 1 : csv.whole(r, "kv_heads"),
                              .head_dim = latent ? 576 : csv.whole(r, "head_dim"),
                              .requests = csv.number(r, "batch"),
                              .context = csv.number(r, "kv_len"),
                              .storage = dtype_of(csv.text(r, "kv_dtype"))};
    out.add(h200_head(csv, r,
                      fmt::format("H200 {} {}, {} cache", csv.text(r, "framework"),
                                  latent ? "MLA" : "GQA", name_of(at.storage)),
                      attention_tolerance),
            attention_point(at, latent, csv.number(r, "latency_us")));
  }
}

/// One rank's time; the tokens are those of the whole expert-parallel group.
KernelPoint h200_experts_point(const NamedCsv& csv, size_t r) {
  const double ep = csv.number(r, "moe_ep");
  const double copies = csv.number(r, "num_tokens_ep_group") * csv.number(r, "topk") / ep;
  const ExpertsAt at{.kind = Kernel::Kind::experts,
                     .dtype = dtype_of(csv.text(r, "dtype")),
                     .hidden = csv.number(r, "hidden"),
                     .intermediate = csv.number(r, "inter") / csv.number(r, "moe_tp"),
                     .experts = std::min(csv.number(r, "num_experts") / ep, copies),
                     .tokens = copies};
  return {fmt::format("{:.0f} experts of {:.1f}, {:.0f} x {:.0f}", at.experts, copies / at.experts,
                      at.hidden, at.intermediate),
          experts_kernel(at), csv.number(r, "latency_us")};
}

/// Balanced routing only.
void add_h200_experts(Collector& out, const fs::path& path) {
  const NamedCsv csv(path);
  for (size_t r = 0; r < csv.rows(); ++r) {
    const std::string distribution = csv.text(r, "distribution");
    if (!csv.text(r, "flag").empty() || (distribution != "balanced" && distribution != "uniform"))
      continue;
    out.add(h200_head(csv, r,
                      fmt::format("H200 {} experts, {} ({})", csv.text(r, "framework"),
                                  csv.text(r, "dtype"), csv.text(r, "kernel")),
                      experts_tolerance),
            h200_experts_point(csv, r));
  }
}

void add_h200_gemms(Collector& out, const fs::path& path) {
  const NamedCsv csv(path);
  for (size_t r = 0; r < csv.rows(); ++r) {
    if (!csv.text(r, "flag").empty()) continue;
    out.add(h200_head(csv, r,
                      fmt::format("H200 {} dense GEMM, {}", csv.text(r, "framework"),
                                  csv.text(r, "dtype")),
                      gemm_tolerance),
            dense_point({csv.number(r, "m"), csv.number(r, "n"), csv.number(r, "k")},
                        dtype_of(csv.text(r, "dtype")), csv.number(r, "latency_us")));
  }
}

}  // namespace

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
  std::vector<KernelTable> tables = out.take();
  if (tables.empty())
    throw ValueError("table folder", fmt::format(": no row in {} is of use", folder.string()));
  return tables;
}

}  // namespace afford::study
