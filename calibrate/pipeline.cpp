#include "pipeline.hpp"

#include <algorithm>
#include <set>

#include "gpu.hpp"

namespace afford::calibrate {
namespace {

std::set<int> gpus_of(const Layout& layout) {
  std::set<int> gpus(layout.attention.begin(), layout.attention.end());
  gpus.insert(layout.ffn.begin(), layout.ffn.end());
  return gpus;
}

/// The experts of FFN GPU `i`, and the rows for which it runs the shared ones.
LocalExperts experts_of(const PipelineShape& shape, int i) {
  const int gpus = static_cast<int>(shape.layout.ffn.size()), all = shape.layer.experts,
            rows = shape.requests() * static_cast<int>(shape.layout.attention.size());
  if (shape.layout.tensor) return {all, 0, all, shape.layer.shared, 0, rows};
  const int first = all * i / gpus, row = rows * i / gpus;
  return {all, first, all * (i + 1) / gpus - first, shape.layer.shared, row, rows * (i + 1) / gpus};
}

}  // namespace

void enable_peers(int gpus) {
  for (int gpu = 0; gpu < gpus; ++gpu) {
    use_gpu(gpu);
    for (int other = 0; other < gpus; ++other) {
      if (other == gpu) continue;
      const cudaError_t status = cudaDeviceEnablePeerAccess(other, 0);
      if (status == cudaErrorPeerAccessAlreadyEnabled)
        (void)cudaGetLastError();
      else
        check(status, "access to the memory of another GPU");
    }
  }
}

Pipeline::Pipeline(const PipelineShape& shape, std::map<int, DenseTuning>& tunings)
    : shape_(shape) {
  const Layout& layout = shape_.layout;
  for (const int gpu : gpus_of(layout)) {
    use_gpu(gpu);
    streams_.emplace(gpu, Stream());
    ends_.emplace(gpu, Event(false));
  }
  const int owners = static_cast<int>(layout.attention.size()),
            returned = static_cast<int>(layout.ffn.size());
  for (const int gpu : layout.attention) {
    use_gpu(gpu);
    attention_.push_back(std::make_unique<AttentionSide>(
        tunings.at(gpu), shape_.layer,
        SideBatch{shape_.lengths, shape_.micro_batches, shape_.sets, returned,
                  static_cast<unsigned>(1 + 1000 * attention_.size())}));
  }
  for (int i = 0; i < returned; ++i) {
    use_gpu(layout.ffn[static_cast<size_t>(i)]);
    ffn_.push_back(std::make_unique<FfnSide>(
        shape_.layer,
        FfnBatch{owners * shape_.requests(), owners, shape_.micro_batches, shape_.sets,
                 experts_of(shape_, i), static_cast<unsigned>(500 + 1000 * i)}));
  }
  for (int m = 0; m < shape_.micro_batches; ++m) {
    attended_.emplace_back(), fed_.emplace_back();
    for (const int gpu : layout.attention) use_gpu(gpu), attended_.back().emplace_back(false);
    for (const int gpu : layout.ffn) use_gpu(gpu), fed_.back().emplace_back(false);
  }
  use_gpu(origin());
  fork_ = std::make_unique<Event>(false);
  start_ = std::make_unique<Event>(), stop_ = std::make_unique<Event>();
  connect();
}

void Pipeline::connect() {
  const DecodeLayer& layer = shape_.layer;
  const size_t value = layer.ffn == Precision::fp8 ? 1 : 2;
  for (size_t a = 0; a < attention_.size(); ++a) {
    const size_t first = a * static_cast<size_t>(shape_.requests());
    std::vector<std::vector<Inbox>> inboxes;
    for (int m = 0; m < shape_.micro_batches; ++m) {
      inboxes.emplace_back();
      for (const auto& ffn : ffn_) {
        Inbox at = ffn->inbox(m);
        at.hidden.values = static_cast<char*>(at.hidden.values) +
                           first * static_cast<size_t>(layer.hidden) * value;
        at.hidden.scales += first * static_cast<size_t>(layer.hidden / 128);
        at.ids += first * static_cast<size_t>(layer.active);
        at.weights += first * static_cast<size_t>(layer.active);
        inboxes.back().push_back(at);
      }
    }
    attention_[a]->send_to(std::move(inboxes));
  }
  for (size_t f = 0; f < ffn_.size(); ++f) {
    std::vector<std::vector<__nv_bfloat16*>> owners;
    const size_t at = f * static_cast<size_t>(shape_.requests()) * layer.hidden;
    for (int m = 0; m < shape_.micro_batches; ++m) {
      owners.emplace_back();
      for (const auto& attention : attention_) owners.back().push_back(attention->partials(m) + at);
    }
    ffn_[f]->return_to(std::move(owners));
  }
}

void Pipeline::enqueue_attention(const Stage& stage) {
  const auto& [layer, micro_batch, part, stamps] = stage;
  const std::vector<int>& gpus = shape_.layout.attention;
  const auto m = static_cast<size_t>(micro_batch);
  for (size_t i = 0; i < gpus.size(); ++i) {
    use_gpu(gpus[i]);
    const cudaStream_t queue = stream(gpus[i]);
    if (part == Part::core) {
      attention_[i]->enqueue_core(queue, layer, micro_batch);
      continue;
    }
    if (part == Part::all && layer > 0)
      for (const Event& fed : fed_[m]) fed.hold_back(queue);
    if (stamps != nullptr) stamps->start({gpus[i], "attention", layer, micro_batch}, queue);
    attention_[i]->enqueue(queue, layer, micro_batch);
    if (stamps != nullptr) stamps->end(gpus[i], queue);
    attended_[m][i].record(queue);
  }
}

void Pipeline::enqueue_ffn(const Stage& stage) {
  const auto& [layer, micro_batch, part, stamps] = stage;
  const std::vector<int>& gpus = shape_.layout.ffn;
  const auto m = static_cast<size_t>(micro_batch);
  for (size_t i = 0; i < gpus.size(); ++i) {
    use_gpu(gpus[i]);
    const cudaStream_t queue = stream(gpus[i]);
    if (part == Part::experts) {
      ffn_[i]->enqueue_core(queue, layer, micro_batch);
      continue;
    }
    if (part == Part::all)
      for (const Event& attended : attended_[m]) attended.hold_back(queue);
    if (stamps != nullptr) stamps->start({gpus[i], "FFN", layer, micro_batch}, queue);
    ffn_[i]->enqueue(queue, layer, micro_batch);
    if (stamps != nullptr) stamps->end(gpus[i], queue);
    fed_[m][i].record(queue);
  }
}

void Pipeline::enqueue(int layers, Part part, StageStamps* stamps) {
  const bool attends = part == Part::all || part == Part::attention || part == Part::core;
  const bool feeds = part == Part::all || part == Part::ffn || part == Part::experts;
  for (int layer = 0; layer < layers; ++layer)
    for (int m = 0; m < shape_.micro_batches; ++m) {
      if (attends) enqueue_attention({layer, m, part, stamps});
      if (feeds) enqueue_ffn({layer, m, part, stamps});
    }
}

Graph Pipeline::graph(int layers, Part part, StageStamps* stamps) {
  use_gpu(origin());
  const cudaStream_t from = stream(origin());
  return Graph(from, [&] {
    fork_->record(from);
    for (const auto& [gpu, queue] : streams_)
      if (gpu != origin()) fork_->hold_back(queue);
    enqueue(layers, part, stamps);
    for (const auto& [gpu, queue] : streams_) {
      if (gpu == origin()) continue;
      use_gpu(gpu);
      ends_.at(gpu).record(queue);
      ends_.at(gpu).hold_back(from);
    }
    use_gpu(origin());
  });
}

void Pipeline::launch(const Graph& graph) {
  use_gpu(origin());
  graph.launch(stream(origin()));
}

double Pipeline::time(const Graph& graph, int times) {
  use_gpu(origin());
  start_->record(stream(origin()));
  for (int i = 0; i < times; ++i) graph.launch(stream(origin()));
  stop_->record(stream(origin()));
  return stop_->since(*start_);
}

void Pipeline::plan(int layers, const std::function<void(int)>& after) {
  for (int layer = 0; layer < layers; ++layer) {
    for (int m = 0; m < shape_.micro_batches; ++m) {
      enqueue_attention({layer, m, Part::attention});
      synchronise();
      for (size_t i = 0; i < ffn_.size(); ++i) {
        use_gpu(shape_.layout.ffn[i]);
        ffn_[i]->plan(layer, m);
      }
      enqueue_ffn({layer, m, Part::ffn});
      synchronise();
    }
    after(layer);
  }
}

void Pipeline::synchronise() const {
  for (const auto& [gpu, queue] : streams_) check(cudaStreamSynchronize(queue), "pipeline");
}

unsigned Pipeline::mismatches() const {
  unsigned count = 0;
  for (const auto& side : ffn_) count += side->mismatches();
  return count;
}

}  // namespace afford::calibrate
