#pragma once
// Streams, events and graphs that free themselves.

#include <functional>
#include <utility>

#include "device.hpp"

namespace afford::calibrate {

class Event {
 public:
  /// On the device of this thread; only a timed one can be asked for times.
  explicit Event(bool timed = true) {
    check(cudaEventCreateWithFlags(&event_, timed ? cudaEventDefault : cudaEventDisableTiming),
          "cudaEventCreate");
  }
  Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  ~Event() {
    if (event_ != nullptr) cudaEventDestroy(event_);
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void record(cudaStream_t stream) const {
    check(cudaEventRecord(event_, stream), "cudaEventRecord");
  }
  void hold_back(cudaStream_t stream) const {
    check(cudaStreamWaitEvent(stream, event_), "cudaStreamWaitEvent");
  }
  /// Microseconds from `start` to this event, once it has happened.
  double since(const Event& start) const {
    check(cudaEventSynchronize(event_), "measured work");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, start.event_, event_), "cudaEventElapsedTime");
    return 1e3 * static_cast<double>(milliseconds);
  }

 private:
  cudaEvent_t event_ = nullptr;
};

/// On the device of the thread that made it.
class Stream {
 public:
  Stream() {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
  }
  Stream(Stream&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
  ~Stream() {
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  operator cudaStream_t() const { return stream_; }  // NOLINT: a handle is all it is

 private:
  cudaStream_t stream_ = nullptr;
};

/// A graph of what `enqueue` puts into `origin` and the streams it forks from there and joins.
class Graph {
 public:
  Graph(cudaStream_t origin, const std::function<void()>& enqueue) {
    check(cudaStreamBeginCapture(origin, cudaStreamCaptureModeThreadLocal), "graph capture");
    enqueue();
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(origin, &graph), "graph capture");
    const cudaError_t status = cudaGraphInstantiate(&graph_, graph, 0);
    cudaGraphDestroy(graph);
    check(status, "cudaGraphInstantiate");
  }
  Graph(Graph&& other) noexcept : graph_(std::exchange(other.graph_, nullptr)) {}
  ~Graph() {
    if (graph_ != nullptr) cudaGraphExecDestroy(graph_);
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  void launch(cudaStream_t stream) const {
    check(cudaGraphLaunch(graph_, stream), "cudaGraphLaunch");
  }

 private:
  cudaGraphExec_t graph_ = nullptr;
};

}  // namespace afford::calibrate
