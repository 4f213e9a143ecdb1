// Where a search takes it for granted that more tokens take an FFN pool no less time, they do not:
// every model, engine, split and boundary, on data sheets.

#include <doctest/doctest.h>

#include "deploy/evaluate.hpp"
#include "load/library.hpp"
#include "search/family_row.hpp"
#include "search/space.hpp"

using namespace afford;

namespace {

constexpr double rounding = 1 - 1e-12;

/// Looks at batches up to 65536 requests, whole ones and such as do not divide by the replicas.
void check_rising(Disaggregated d, const Setting& setting) {
  d.micro_batches = 1;
  std::optional<FfnPart> before;
  bool falls = false;
  for (std::int64_t batch = 1; batch <= 65536; batch += 1 + batch / 10) {
    d.batch = batch;
    const FfnPart part = ffn_part(d, setting);
    for (size_t kind = 0; before && kind < part.stage.size(); ++kind)
      falls = falls || part.stage[kind] < rounding * before->stage[kind];
    falls = falls || (before && part.head < rounding * before->head);
    before = part;
  }
  CHECK(!falls);
}

void check_pools(const ModelSpec& model, const HardwareSpec& chip, const Setting& setting) {
  for (const Boundary boundary : {Boundary::attention, Boundary::core}) {
    for (const std::int64_t instances : {1, 3}) {
      for (const FfnSplit& split : splits_of(instances, 8, most_experts(model))) {
        if (boundary == Boundary::core && !undivided_heads(*setting.shapes, split.tensor).empty())
          continue;
        Disaggregated d{.attention = {&chip, 1, 8}, .ffn = {&chip, instances, 8}};
        d.ffn_split = split;
        d.boundary = boundary;
        CAPTURE(split.tensor);
        CAPTURE(split.expert);
        check_rising(d, setting);
      }
    }
  }
}

}  // namespace

TEST_SUITE("property") {
  TEST_CASE("by formula more tokens never take an FFN pool less time") {
    const auto chips = load_hardware({"h800", "910b"});
    int noisy = 0;
    for (const ModelSpec& model : load_models({"all"})) {
      const std::vector<LayerShape> shapes = layer_shapes(model);
      for (const std::string engine : {"ideal", "step", "vllm", "served"}) {
        const HardwareSpec& chip = chips[engine == "vllm" ? 1 : 0];
        Setting setting;
        setting.model = &model, setting.shapes = &shapes;
        setting.engine = load_engine(engine);
        CAPTURE(model.name);
        CAPTURE(engine);
        if (rises_by_formula(chip, setting)) {
          check_pools(model, chip, setting);
        } else {
          ++noisy;
        }
        setting.redundant_experts = 1;
        CHECK(!rises_by_formula(chip, setting));
      }
    }
    CHECK(noisy > 0);
  }
}
