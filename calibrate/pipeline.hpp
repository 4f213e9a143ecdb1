#pragma once
// A decode pipeline of one model layer after another over the GPUs of one server: attention sides
// and FFN sides, in pools of their own (AFD) or together on every GPU (EP, TP), as one CUDA graph.
// Tokens go from kernel to kernel; the GPUs write into each other's memory.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "attention_side.hpp"
#include "ffn_side.hpp"
#include "stage_stamps.hpp"
#include "stream.hpp"

namespace afford::calibrate {

/// Which GPUs do what. "2a1f": attention on GPUs 0 and 1, FFN on 2, experts spread over the FFN
/// GPUs, or with "-tp" behind it each one cut in as many; "ep2", "tp2": both on GPUs 0 and 1, the
/// experts spread, or each one cut in two.
struct Layout {
  std::string name;
  std::vector<int> attention, ffn;
  bool tensor = false;  // experts cut instead of spread

  [[nodiscard]] int gpus() const;
  [[nodiscard]] bool pooled() const { return attention != ffn; }
};

/// Throws UsageError for what is no layout, naming those that are.
[[nodiscard]] Layout parse_layout(const std::string& name);

struct PipelineShape {
  Layout layout;
  DecodeLayer layer;         // experts as wide as one FFN GPU has them
  std::vector<int> lengths;  // of the requests of an attention GPU and micro-batch
  int micro_batches = 1;
  int sets = 2;

  [[nodiscard]] int requests() const { return static_cast<int>(lengths.size()); }
};

/// What of a step a graph holds.
enum class Part { all, attention, core, ffn, experts };

class Pipeline {
 public:
  /// Takes memory on every GPU. `tunings`: of each GPU of the layout. Throws CudaError.
  Pipeline(const PipelineShape& shape, std::map<int, DenseTuning>& tunings);

  /// Runs `layers` layers once, one part after another, and plans them by how their tokens are
  /// routed; `after` is called with the number of each layer that has run.
  void plan(int layers, const std::function<void(int)>& after);

  /// The first `layers` planned layers of every micro-batch; with `stamps`, each stage takes the
  /// time when it starts and ends.
  [[nodiscard]] Graph graph(int layers, Part part, StageStamps* stamps = nullptr);
  void launch(const Graph& graph);
  /// Microseconds of `times` launches, one behind the other.
  [[nodiscard]] double time(const Graph& graph, int times);

  [[nodiscard]] const PipelineShape& shape() const { return shape_; }
  [[nodiscard]] AttentionSide& attention(int i) { return *attention_[static_cast<size_t>(i)]; }
  [[nodiscard]] FfnSide& ffn(int i) { return *ffn_[static_cast<size_t>(i)]; }
  [[nodiscard]] unsigned mismatches() const;

 private:
  void connect();
  struct Stage {
    int layer = 0, micro_batch = 0;
    Part part = Part::all;
    StageStamps* stamps = nullptr;
  };
  void enqueue(int layers, Part part, StageStamps* stamps);
  void enqueue_attention(const Stage& stage);
  void enqueue_ffn(const Stage& stage);
  void synchronise() const;
  [[nodiscard]] cudaStream_t stream(int gpu) const { return streams_.at(gpu); }
  [[nodiscard]] int origin() const { return shape_.layout.attention.front(); }

  PipelineShape shape_;
  std::map<int, Stream> streams_;  // of each GPU
  std::vector<std::unique_ptr<AttentionSide>> attention_;
  std::vector<std::unique_ptr<FfnSide>> ffn_;
  std::vector<std::vector<Event>> attended_, fed_;  // [micro-batch][GPU of the pool]
  std::map<int, Event> ends_;
  std::unique_ptr<Event> fork_, start_, stop_;
};

/// Lets GPUs 0 to `gpus` - 1 write into each other's memory. Throws CudaError.
void enable_peers(int gpus);

}  // namespace afford::calibrate
