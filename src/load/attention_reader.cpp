#include "load/attention_reader.hpp"

#include "load/format_reader.hpp"
#include "load/kind_reader.hpp"
#include "load/source_reader.hpp"

namespace afford {
namespace {

using yaml::Section;

template <class Kind>
AttentionShape read(const Section& list, const std::string& entry) {
  const Kind kind = read_kind<Kind>(list, entry);
  check_kind(list.names(entry), kind);
  return kind;
}

/// Grouped-query attention whose number of KV heads its name tells.
AttentionShape read_mha(const Section& list, const std::string& entry) {
  Gqa mha = read_kind<Gqa>(list, entry, "kv_heads");
  mha.kv_heads = mha.query_heads;
  return mha;
}
AttentionShape read_mqa(const Section& list, const std::string& entry) {
  Gqa mqa = read_kind<Gqa>(list, entry, "kv_heads");
  mqa.kv_heads = 1;
  return mqa;
}

using AttentionReader = AttentionShape (*)(const Section&, const std::string&);
constexpr std::pair<std::string_view, AttentionReader> attention_readers[] = {
    {"mha", read_mha},
    {"mqa", read_mqa},
    {Gqa::kind, read<Gqa>},
    {Mfa::kind, read<Mfa>},
    {Mla::kind, read<Mla>},
    {Lightning::kind, read<Lightning>},
    {Dsa::kind, read<Dsa>},
    {Msa::kind, read<Msa>},
    {CompressedMqa::kind, read<CompressedMqa>},
    {GatedDeltaNet::kind, read<GatedDeltaNet>},
    {Kda::kind, read<Kda>},
    {Mamba1::kind, read<Mamba1>},
    {Mamba2::kind, read<Mamba2>},
    {ShortConv::kind, read<ShortConv>},
    {Concat::kind, read<Concat>},
    {Rwkv7::kind, read<Rwkv7>},
};

/// Whether each alternative of the variant has its line in the table.
template <class... Kinds>
constexpr bool all_read(const std::variant<Kinds...>*) {
  constexpr auto has_line = [](std::string_view kind) {
    for (const auto& line : attention_readers) {
      if (line.first == kind) return true;
    }
    return false;
  };
  return (has_line(Kinds::kind) && ...);
}
static_assert(all_read(static_cast<const AttentionShape*>(nullptr)),
              "a kind of attention has no line in the reader's table");

}  // namespace

AttentionSpec read_attention(const Section& list, const std::string& name, const Sources& sources) {
  const Section any = list.names(name);
  const AttentionReader reader = any.choice("kind", attention_readers);
  AttentionSpec spec{.name = name,
                     .shape = reader(list, name),
                     .cache = {},
                     .weights = {},
                     .compute = {},
                     .weight_sets = read_weight_sets(any),
                     .source = read_source(any, sources)};
  for (const std::string_view format : {keys::kv, keys::state}) {
    if (any.has(format)) spec.cache = any.choice(format, dtype_names);
  }
  if (any.has(keys::weights)) spec.weights = read_weight_format(any, keys::weights);
  if (any.has(keys::linear_compute))
    spec.compute = any.choice(keys::linear_compute, compute_dtype_names);
  return spec;
}

}  // namespace afford
