#include "load/attention_reader.hpp"

#include <fmt/format.h>

#include "load/source_reader.hpp"
#include "yaml/limits.hpp"

namespace afford {
namespace {

using yaml::Section;

Reach read_reach(const Section& in) {
  if (in.has("window") && in.has("chunk"))
    in.fail("chunk", "a layer has a 'window' or a 'chunk', not both");
  if (in.has("window")) return {Reach::Kind::sliding, in.integer("window", limits::tokens)};
  if (in.has("chunk")) return {Reach::Kind::chunked, in.integer("chunk", limits::tokens)};
  return {};
}

constexpr std::pair<std::string_view, OutputGate> gates[] = {
    {"none", OutputGate::none}, {"element", OutputGate::element}, {"head", OutputGate::head}};

Gqa read_heads(const Section& in) {
  return {.query_heads = in.integer("query_heads", limits::heads),
          .kv_heads = 0,
          .head_dim = in.integer("head_dim", limits::head_dim),
          .reach = read_reach(in),
          .gate = in.has("output_gate") ? in.choice("output_gate", gates) : OutputGate::none,
          .reuses_kv = in.has("reuses_kv") && in.boolean("reuses_kv")};
}

AttentionShape read_mha(const Section& list, const std::string& name) {
  Gqa mha = read_heads(list.child(name, {"kind", "source", "query_heads", "head_dim", "window",
                                         "chunk", "kv", "output_gate", "reuses_kv"}));
  mha.kv_heads = mha.query_heads;
  return mha;
}

AttentionShape read_mqa(const Section& list, const std::string& name) {
  Gqa mqa = read_heads(list.child(name, {"kind", "source", "query_heads", "head_dim", "window",
                                         "chunk", "kv", "output_gate", "reuses_kv"}));
  mqa.kv_heads = 1;
  return mqa;
}

AttentionShape read_gqa(const Section& list, const std::string& name) {
  const Section in = list.child(name, {"kind", "source", "query_heads", "kv_heads", "head_dim",
                                       "window", "chunk", "kv", "output_gate", "reuses_kv"});
  Gqa gqa = read_heads(in);
  gqa.kv_heads = in.integer("kv_heads", limits::heads);
  if (gqa.query_heads % gqa.kv_heads != 0) {
    in.fail("kv_heads", fmt::format("query_heads ({}) must be a multiple of kv_heads, got {}",
                                    gqa.query_heads, gqa.kv_heads));
  }
  return gqa;
}

AttentionShape read_mfa(const Section& list, const std::string& name) {
  const Section in =
      list.child(name, {"kind", "source", "query_heads", "head_dim", "query_rank", "kv"});
  return Mfa{.query_heads = in.integer("query_heads", limits::heads),
             .head_dim = in.integer("head_dim", limits::head_dim),
             .query_rank = in.integer("query_rank", limits::width)};
}

Mla read_latent(const Section& in) {
  return {.query_heads = in.integer("query_heads", limits::heads),
          .query_rank = in.has("query_rank") ? in.integer("query_rank", limits::width) : 0,
          .kv_rank = in.integer("kv_rank", limits::width),
          .nope_dim = in.integer("nope_dim", limits::head_dim),
          .rope_dim = in.integer("rope_dim", limits::head_dim),
          .value_dim = in.integer("value_dim", limits::head_dim),
          .output_gate = in.has("output_gate") && in.boolean("output_gate")};
}

Indexer read_indexer(const Section& in) {
  return {.heads = in.integer("index_heads", limits::heads),
          .head_dim = in.integer("index_dim", limits::head_dim),
          .top_k = in.integer("top_k", limits::tokens)};
}

AttentionShape read_mla(const Section& list, const std::string& name) {
  return read_latent(list.child(name, {"kind", "source", "query_heads", "query_rank", "kv_rank",
                                       "nope_dim", "rope_dim", "value_dim", "kv", "output_gate"}));
}

AttentionShape read_dsa(const Section& list, const std::string& name) {
  const Section in = list.child(
      name, {"kind", "source", "query_heads", "query_rank", "kv_rank", "nope_dim", "rope_dim",
             "value_dim", "kv", "output_gate", "index_heads", "index_dim", "top_k"});
  return Dsa{.mla = read_latent(in), .indexer = read_indexer(in)};
}

AttentionShape read_compressed(const Section& list, const std::string& name) {
  const Section in = list.child(
      name, {"kind", "source", "query_heads", "head_dim", "query_rank", "output_groups",
             "output_rank", "window", "stride", "kv", "index_heads", "index_dim", "top_k"});
  CompressedMqa shape{.query_heads = in.integer("query_heads", limits::heads),
                      .head_dim = in.integer("head_dim", limits::head_dim),
                      .query_rank = in.integer("query_rank", limits::width),
                      .output_groups = in.integer("output_groups", limits::heads),
                      .output_rank = in.integer("output_rank", limits::width),
                      .window = in.integer("window", limits::tokens),
                      .stride = in.has("stride") ? in.integer("stride", limits::tokens) : 0,
                      .indexer = {}};
  if (shape.query_heads % shape.output_groups != 0) {
    in.fail("output_groups",
            fmt::format("query_heads ({}) must be a multiple of output_groups, got {}",
                        shape.query_heads, shape.output_groups));
  }
  if (in.has("top_k")) {
    if (shape.stride == 0) in.fail("top_k", "an indexer goes with a 'stride', which is missing");
    shape.indexer = read_indexer(in);
  }
  return shape;
}

AttentionShape read_gated_delta_net(const Section& list, const std::string& name) {
  const Section in = list.child(name, {"kind", "source", "key_heads", "value_heads", "key_dim",
                                       "value_dim", "conv_kernel", "state"});
  GatedDeltaNet shape{.key_heads = in.integer("key_heads", limits::heads),
                      .value_heads = in.integer("value_heads", limits::heads),
                      .key_dim = in.integer("key_dim", limits::head_dim),
                      .value_dim = in.integer("value_dim", limits::head_dim),
                      .conv_kernel = in.integer("conv_kernel", limits::conv_kernel)};
  if (shape.value_heads % shape.key_heads != 0) {
    in.fail("key_heads", fmt::format("value_heads ({}) must be a multiple of key_heads, got {}",
                                     shape.value_heads, shape.key_heads));
  }
  return shape;
}

AttentionShape read_kda(const Section& list, const std::string& name) {
  const Section in = list.child(
      name, {"kind", "source", "heads", "head_dim", "conv_kernel", "full_rank_gate", "state"});
  return Kda{.heads = in.integer("heads", limits::heads),
             .head_dim = in.integer("head_dim", limits::head_dim),
             .conv_kernel = in.integer("conv_kernel", limits::conv_kernel),
             .full_rank_gate = in.has("full_rank_gate") && in.boolean("full_rank_gate")};
}

AttentionShape read_lightning(const Section& list, const std::string& name) {
  const Section in = list.child(name, {"kind", "source", "heads", "head_dim", "state"});
  return Lightning{.heads = in.integer("heads", limits::heads),
                   .head_dim = in.integer("head_dim", limits::head_dim)};
}

using Reader = AttentionShape (*)(const Section&, const std::string&);
constexpr std::pair<std::string_view, Reader> readers[] = {
    {"mha", read_mha}, {"mqa", read_mqa},        {"gqa", read_gqa},
    {"mfa", read_mfa}, {"mla", read_mla},        {"lightning", read_lightning},
    {"dsa", read_dsa}, {"csa", read_compressed}, {"gated_delta_net", read_gated_delta_net},
    {"kda", read_kda},
};

}  // namespace

AttentionSpec read_attention(const Section& list, const std::string& name, const Sources& sources) {
  const Section any = list.names(name);
  const Reader read = any.choice("kind", readers);
  AttentionSpec spec{
      .name = name, .shape = read(list, name), .cache = {}, .source = read_source(any, sources)};
  if (any.has("kv")) spec.cache = any.choice("kv", dtype_names);
  if (any.has("state")) spec.cache = any.choice("state", dtype_names);
  return spec;
}

}  // namespace afford
