#pragma once
// The Step-3 report's Section 6: what a card of little bandwidth can do in one layer of one stage.

#include "layer/shape.hpp"
#include "spec/hardware.hpp"

namespace afford {

struct WeakCard {
  Bytes layer;        // the card can read in a layer's share of a stage
  Bytes projections;  // of which the attention projections take this (the last one sharded over a
                      // server)
  Bytes kv;           // and this is left for the cache
  double kv_tokens = 0;
  double batch = 0;  // whole requests at the context
  Bytes ffn_layer;   // FFN weights a card can read at half its bandwidth
  double ffn_servers = 0;
};

/// `stage` is the time of one pipeline stage over all layers (16.6 ms in the report).
[[nodiscard]] WeakCard weak_card(const ModelSpec& model, const HardwareSpec& chip, Seconds stage,
                                 double context);

}  // namespace afford
