#include "works.hpp"

#include <stdexcept>

#include "attention.hpp"
#include "mla.hpp"
#include "moe.hpp"
#include "prefill.hpp"
#include "roofs.hpp"

namespace afford::calibrate {
namespace {

int narrow(std::int64_t count) { return static_cast<int>(count); }  // shapes are far below 2^31

Precision precision_of(const Point& point) {
  return point.precision == "bf16" ? Precision::bf16 : Precision::fp8;
}

std::unique_ptr<Work> grouped(const Case& one) {
  const Point& p = one.point;
  return make_attention({.query_heads = narrow(p.query_heads),
                         .kv_heads = narrow(p.kv_heads),
                         .head_dim = narrow(p.head_dim),
                         .precision = precision_of(p),
                         .lengths = one.lengths,
                         .paged = p.paged});
}

std::unique_ptr<Work> latent(const Case& one) {
  return make_mla({.heads = narrow(one.point.query_heads),
                   .cache = precision_of(one.point),
                   .lengths = one.lengths,
                   .paged = one.point.paged});
}

std::unique_ptr<Work> prompt(const Case& one) {
  const Point& p = one.point;
  return make_prefill({.query_heads = narrow(p.query_heads),
                       .kv_heads = narrow(p.kv_heads),
                       .key_dim = narrow(p.head_dim),
                       .sequences = narrow(p.batch),
                       .tokens = narrow(p.tokens),
                       .prefix = narrow(p.longest_tokens - p.tokens)});
}

std::unique_ptr<Work> experts(const Case& one) {
  const Point& p = one.point;
  MoeCase moe;
  moe.precision = precision_of(p);
  moe.hidden = narrow(p.hidden);
  moe.intermediate = narrow(p.intermediate);
  moe.tokens = one.tokens;
  moe.part = p.operation == "moe_ffn"       ? MoePart::ffn
             : p.operation == "moe_gate_up" ? MoePart::gate_up
                                            : MoePart::down;
  return make_moe(moe);
}

std::unique_ptr<Work> projection(const Case& one, const CublasLt& lt) {
  const Point& p = one.point;
  return make_dense(lt, {.precision = precision_of(p),
                         .block_scales = p.precision == "fp8_128",
                         .m = narrow(p.m),
                         .n = narrow(p.n),
                         .k = narrow(p.k)});
}

}  // namespace

bool can_run(const Case& one, const CublasLt* lt) {
  return one.point.operation != "dense" || lt != nullptr;
}

std::unique_ptr<Work> make_work(const Case& one, const CublasLt* lt) {
  const Point& p = one.point;
  if (p.operation == "read") return make_read(p.bytes);
  if (p.operation == "read_parts") return make_read_parts(p.bytes);
  if (p.operation == "write") return make_write(p.bytes);
  if (p.operation == "copy") return make_copy(p.bytes);
  if (p.operation == "l2_read") return make_l2_read(one.resident, p.bytes);
  if (p.operation == "tensor") return make_tensor(precision_of(p));
  if (p.operation.starts_with("launch_")) return make_empty(p.operation == "launch_dependent");
  if (p.operation == "mfa_decode" || p.operation == "gqa_decode") return grouped(one);
  if (p.operation == "mla_decode") return latent(one);
  if (p.operation.ends_with("_prefill")) return prompt(one);
  if (p.operation.starts_with("moe_")) return experts(one);
  if (p.operation == "dense" && lt != nullptr) return projection(one, *lt);
  throw std::logic_error("no kernel for " + p.operation);
}

}  // namespace afford::calibrate
