// Every shipped model: the stages hold its parameters, in the right order.
#include <doctest/doctest.h>

#include <map>

#include "count/params.hpp"
#include "layer/ffn_side.hpp"
#include "layer/head.hpp"
#include "layer/per_kind.hpp"
#include "layer/shape.hpp"
#include "load/library.hpp"
#include "spec/overrides.hpp"
#include "support.hpp"

using namespace afford;

namespace {

struct ShapeFixture {
  HardwareSpec chip = load_hardware({"h200"}).front();
  Engine engine;
  Routing routing;
};

double shape_weights(const OpList& ops) {
  Bytes sum;
  for (const Op& op : ops) sum += op.weights;
  return sum / size_of(Dtype::bf16, 1);
}

AttentionWork attention_work(const LayerShape& shape, AttentionSplit split, std::int64_t instance) {
  return {.requests = 4,
          .context = 4096,
          .instance = instance,
          .split = split,
          .router = shape.ffn.router_outputs > 0};
}

/// Weights of one layer as its stages read them, when every expert has tokens.
double layer_weights(const ModelSpec& model, const LayerShape& shape, const ShapeFixture& f) {
  const Machine machine(f.chip, f.engine);
  const AttentionWork attention = attention_work(shape, AttentionSplit::replicated, 1);
  const FfnWork ffn{.tokens = 1e9, .routing = &f.routing};
  return shape_weights(attention_ops(model, shape, attention, machine)) +
         shape_weights(ffn_ops(model, shape, ffn, machine));
}

/// The place of each operation of the stage.
std::map<std::string_view, int> places(const OpList& ops) {
  std::map<std::string_view, int> place;
  for (const Op& op : ops) place[op.name] = static_cast<int>(place.size());
  return place;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("the weights of the stages are the parameters, less norms, rows and towers") {
    const ShapeFixture f;
    for (const ModelSpec& published : load_models({"all"})) {
      CAPTURE(published.name);
      const ModelSpec model = with_formats(published, {.weights = Dtype::bf16});
      double sum = shape_weights(head_ops(model, 1, 1, Machine(f.chip, f.engine))), norms = 0;
      for (const HeldWeights& held : model.held) sum += held.params;
      for (const LayerShape& shape : layer_shapes(model)) {
        sum += real(shape.layers) * layer_weights(model, shape, f);
        norms += real(shape.layers) * (2 * real(model.hidden) + shape.attention.norm_weights);
      }
      const double expected =
          total_params(model, {.embedding = false}) - norms - real(model.hidden);
      CHECK(sum == doctest::Approx(expected).epsilon(1e-9));
    }
  }

  TEST_CASE("no output map precedes the core, no other projection follows it") {
    const ShapeFixture f;
    for (const ModelSpec& model : load_models({"all"})) {
      for (const LayerShape& shape : layer_shapes(model)) {
        for (const AttentionSplit split :
             {AttentionSplit::replicated, AttentionSplit::shared_output, AttentionSplit::tensor}) {
          const auto place = places(attention_ops(model, shape, attention_work(shape, split, 8),
                                                  Machine(f.chip, f.engine)));
          const int core = place.at("core attention");
          CHECK(place.at("q k v") < core);
          for (const Matrix& matrix : shape.attention.projections) {
            CAPTURE(model.name + " " + std::string(matrix.name));
            if (matrix.role == Role::from_hidden) continue;  // part of "q k v"
            REQUIRE(place.contains(matrix.name));
            CHECK((place.at(matrix.name) > core) == (matrix.role == Role::output));
          }
          CHECK(shape.attention.projections.back().role == Role::output);
        }
      }
    }
  }

  TEST_CASE("an output map reads what the map before it, and first the core, puts out") {
    for (const ModelSpec& model : load_models({"all"})) {
      for (const LayerShape& shape : layer_shapes(model)) {
        CAPTURE(model.name);
        double values = shape.attention.core_outputs;
        for (const Matrix& matrix : shape.attention.projections) {
          if (matrix.role != Role::output) continue;
          CHECK(values_read(matrix) == values);
          values = real(matrix.outputs);
        }
        CHECK(values == real(model.hidden));
      }
    }
  }

  TEST_CASE("each accelerator's share of each map, times the ways, is the map") {
    const ShapeFixture f;
    const ModelSpec model =
        with_formats(load_models({"deepseek-v4-flash"}).front(), {.weights = Dtype::bf16});
    const LayerShape shape = layer_shapes(model).back();
    for (const AttentionSplit split : {AttentionSplit::shared_output, AttentionSplit::tensor}) {
      const OpList ops =
          attention_ops(model, shape, attention_work(shape, split, 8), Machine(f.chip, f.engine));
      for (const Matrix& matrix : shape.attention.projections) {
        if (matrix.role != Role::output) continue;
        CHECK(8 * test::operation(ops, matrix.name).weights.base() == 2 * weights_of(matrix));
      }
    }
  }

  TEST_CASE("values by kind of layer: in place or not, copies keep them") {
    for (const size_t kinds : {size_t{0}, size_t{8}, size_t{9}, size_t{400}}) {
      CAPTURE(kinds);
      PerKind<int> values(kinds);
      for (size_t i = 0; i < kinds; ++i) values[i] = static_cast<int>(i) + 1;
      const PerKind<int> copy = values;
      if (kinds > 0) values[0] = 7;
      CHECK(copy.size() == kinds);
      CHECK(static_cast<size_t>(copy.end() - copy.begin()) == kinds);
      int sum = 0;
      for (const int value : copy) sum += value;
      CHECK(sum == static_cast<int>(kinds * (kinds + 1) / 2));
    }
  }
}
