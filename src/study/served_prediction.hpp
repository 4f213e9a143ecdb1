#pragma once
// Served points as deployments of the library's models, chips and engines, and the time afford
// predicts for them.

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "deploy/evaluate.hpp"
#include "deploy/interval.hpp"
#include "deploy/prompts.hpp"
#include "study/served_setup.hpp"

namespace afford::study {

/// A point that can be set up. Points into a ServedLibrary.
struct ServedDeployment {
  Colocated server;
  Setting setting;                       // the model in the formats of the point; any engine
  std::optional<PromptLoad> interrupts;  // of a server that works on prompts too
  [[nodiscard]] const HardwareSpec& chip() const { return *server.pool.chip; }
  /// Whether the prompts of all requests in flight join one step, so that none waits for another.
  [[nodiscard]] bool prompts_fit_a_step() const {
    return interrupts && interrupts->requests * interrupts->prompt <= default_chunk;
  }
};

/// What points name, loaded once for all of them.
class ServedLibrary {
 public:
  /// The deployment of a point under the routing of `engine`, or why there is none: a name that
  /// nothing here has, a point that says nothing of a decode step, or one that cannot have run.
  [[nodiscard]] std::variant<ServedDeployment, std::string> set_up(const ServedPoint& point,
                                                                   const Engine& engine);
  /// The engine of engines/ that a collection calls so ("trtllm" is tensorrt-llm); null: none.
  [[nodiscard]] const Engine* engine_called(const std::string& name);

 private:
  struct Model {
    ModelSpec spec;
    std::vector<LayerShape> shapes;
  };
  struct Routed {
    Routing routing;
    Placement placement;
  };
  [[nodiscard]] const ModelSpec* model(const std::string& checkpoint);
  [[nodiscard]] const Model& in_formats(const ModelSpec& model, const Precision& precision);
  [[nodiscard]] const HardwareSpec* chip(const std::string& name);
  [[nodiscard]] const Routed* routed(const ModelSpec& model, std::int64_t groups, double exponent);

  template <class Entry>
  using Kept = std::map<std::string, std::unique_ptr<const Entry>, std::less<>>;
  Kept<ModelSpec> models_;
  Kept<Model> formats_;
  Kept<HardwareSpec> chips_;
  Kept<Engine> engines_;
  Kept<Routed> routed_;
};

/// The time of an output token, the part of it in which prompts interrupt, and the time from asking
/// to the first token where no prompt waits for another (zero: prompts came worked off).
struct ServedTime {
  Seconds tpot, prompts, first_token;
};
[[nodiscard]] ServedTime served_time(const ServedDeployment& deployment, const Engine& engine);

/// What a step takes at the rates of the chip's data sheet, nothing started, no latency, no prompt:
/// no server is faster.
[[nodiscard]] Seconds fastest_step(const ServedDeployment& deployment);

}  // namespace afford::study
