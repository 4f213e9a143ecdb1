#include "spec/attention_reader.hpp"

#include <fmt/format.h>

#include "spec/limits.hpp"

namespace afford {
namespace {

using yaml::Section;

Reach read_reach(const Section& in) {
  if (in.has("window") && in.has("chunk")) in.fail("chunk", "a layer has a 'window' or a 'chunk', not both");
  if (in.has("window")) return {Reach::Kind::sliding, in.integer("window", limits::tokens)};
  if (in.has("chunk")) return {Reach::Kind::chunked, in.integer("chunk", limits::tokens)};
  return {};
}

Gqa read_heads(const Section& in) {
  return {.query_heads = in.integer("query_heads", limits::heads),
          .kv_heads = 0,
          .head_dim = in.integer("head_dim", limits::head_dim),
          .reach = read_reach(in)};
}

AttentionShape read_mha(const Section& list, const std::string& name) {
  Gqa mha =
      read_heads(list.child(name, {"kind", "source", "query_heads", "head_dim", "window", "chunk", "kv"}));
  mha.kv_heads = mha.query_heads;
  return mha;
}

AttentionShape read_mqa(const Section& list, const std::string& name) {
  Gqa mqa =
      read_heads(list.child(name, {"kind", "source", "query_heads", "head_dim", "window", "chunk", "kv"}));
  mqa.kv_heads = 1;
  return mqa;
}

AttentionShape read_gqa(const Section& list, const std::string& name) {
  const Section in =
      list.child(name, {"kind", "source", "query_heads", "kv_heads", "head_dim", "window", "chunk", "kv"});
  Gqa gqa = read_heads(in);
  gqa.kv_heads = in.integer("kv_heads", limits::heads);
  if (gqa.query_heads % gqa.kv_heads != 0) {
    in.fail("kv_heads", fmt::format("query_heads ({}) must be a multiple of kv_heads, got {}",
                                    gqa.query_heads, gqa.kv_heads));
  }
  return gqa;
}

AttentionShape read_mfa(const Section& list, const std::string& name) {
  const Section in = list.child(name, {"kind", "source", "query_heads", "head_dim", "query_rank", "kv"});
  return Mfa{.query_heads = in.integer("query_heads", limits::heads),
             .head_dim = in.integer("head_dim", limits::head_dim),
             .query_rank = in.integer("query_rank", limits::width)};
}

AttentionShape read_mla(const Section& list, const std::string& name) {
  const Section in = list.child(name, {"kind", "source", "query_heads", "query_rank", "kv_rank", "nope_dim",
                                       "rope_dim", "value_dim", "kv"});
  return Mla{.query_heads = in.integer("query_heads", limits::heads),
             .query_rank = in.has("query_rank") ? in.integer("query_rank", limits::width) : 0,
             .kv_rank = in.integer("kv_rank", limits::width),
             .nope_dim = in.integer("nope_dim", limits::head_dim),
             .rope_dim = in.integer("rope_dim", limits::head_dim),
             .value_dim = in.integer("value_dim", limits::head_dim)};
}

AttentionShape read_lightning(const Section& list, const std::string& name) {
  const Section in = list.child(name, {"kind", "source", "heads", "head_dim", "state"});
  return Lightning{.heads = in.integer("heads", limits::heads),
                   .head_dim = in.integer("head_dim", limits::head_dim)};
}

using Reader = AttentionShape (*)(const Section&, const std::string&);
constexpr std::pair<std::string_view, Reader> readers[] = {
    {"mha", read_mha}, {"mqa", read_mqa}, {"gqa", read_gqa},
    {"mfa", read_mfa}, {"mla", read_mla}, {"lightning", read_lightning},
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
