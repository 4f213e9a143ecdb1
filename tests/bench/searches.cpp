// Searches inside one process, so that only the search is measured.
#include <fmt/format.h>

#include "bench/figures.hpp"
#include "bench/measure.hpp"
#include "load/library.hpp"
#include "search/kept_limits.hpp"

namespace afford::bench {
namespace {

struct Search {
  ModelSpec model = load_model("step-3");
  std::vector<LayerShape> shapes = layer_shapes(model);
  std::vector<HardwareSpec> chips = load_hardware({"h800", "h20", "a800", "910b"});
  Space space;
  Setting setting;

  explicit Search(std::int64_t gpus) {
    setting.model = &model;
    setting.shapes = &shapes;
    setting.context = 8192;
    space.chips = &chips;
    space.max_gpus = gpus;
    space.attention_splits = {AttentionSplit::shared_output, AttentionSplit::tensor};
  }
};

/// As a slider of the TPOT limit does: the first move prepares for the others.
void measure_moves(Figures& figures, Search& search) {
  const Usage cold = quickest(3, [&] { (void)explore(search.space, search.setting, {}); });
  figures.add({"cold_search_ms", 1e3 * cold.wall_s, "all cores, on the clock"});
  KeptLimits kept;
  (void)kept.search(search.space, search.setting, {});
  int limit = 50;
  const auto move = [&] {
    search.setting.tpot_limit = --limit * millisecond;
    (void)kept.search(search.space, search.setting, {});
  };
  figures.add({"first_move_ms", 1e3 * quickest(1, move).wall_s,
               "all cores; another TPOT limit, and every whole ms up to 200 kept"});
  figures.add({"after_a_move_ms", 1e3 * quickest(3, move).wall_s,
               "on the clock; yet another TPOT limit of these, no search"});
}

}  // namespace

void measure_searches(Figures& figures) {
  constexpr double million = 1e6;
  Search search(128);
  const ExploreOptions one_core{.threads = 1};
  const Explored found = explore(search.space, search.setting, one_core);
  const auto tried = static_cast<double>(found.tally.tried);
  const Usage counted = quickest(3, [&] { (void)explore(search.space, search.setting, one_core); });
  const std::string of =
      fmt::format("one core; step-3 on 4 chips, {:.4g} M candidates with counts", tried / million);
  figures.add({"candidates_ns", 1e9 * counted.cpu_s / tried, of});
  measure_moves(figures, search);
}

}  // namespace afford::bench
