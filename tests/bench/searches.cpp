// Searches inside one process, so that only the search is measured.
#include <fmt/format.h>

#include "bench/figures.hpp"
#include "bench/measure.hpp"
#include "load/library.hpp"
#include "search/explore.hpp"

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

}  // namespace

void measure_searches(Figures& figures) {
  constexpr double million = 1e6;
  Search search(128);
  const ExploreOptions one_core{.threads = 1};
  const Explored found = explore(search.space, search.setting, one_core);
  const auto tried = static_cast<double>(found.tally.tried),
             full = static_cast<double>(found.evaluated);
  const Usage counted = quickest(3, [&] { (void)explore(search.space, search.setting, one_core); });
  const std::string of =
      fmt::format("one core; step-3 on 4 chips, {:.4g} M candidates with counts", tried / million);
  figures.add({"candidates_ns", 1e9 * counted.cpu_s / tried, of});
  figures.add({"full_evaluation_ns", 1e9 * counted.cpu_s / full,
               fmt::format("one core; {:.4g} M of them evaluated in full", full / million)});
  const Usage moved = quickest(3, [&] {
    search.setting.tpot_limit = Seconds(search.setting.tpot_limit.base() * 0.99);
    (void)explore(search.space, search.setting, {});
  });
  figures.add({"after_a_move_ms", 1e3 * moved.wall_s,
               "all cores; the same search with another TPOT limit, on the clock"});
}

}  // namespace afford::bench
