#include "load/ffn_reader.hpp"

#include "load/format_reader.hpp"
#include "load/kind_reader.hpp"
#include "load/source_reader.hpp"

namespace afford {
namespace {

using yaml::Section;

template <class Kind>
FfnShape read(const Section& list, const std::string& entry) {
  const Kind kind = read_kind<Kind>(list, entry);
  check_kind(list.names(entry), kind);
  return kind;
}

using FfnReader = FfnShape (*)(const Section&, const std::string&);
constexpr std::pair<std::string_view, FfnReader> ffn_readers[] = {
    {Dense::kind, read<Dense>},
    {Moe::kind, read<Moe>},
    {NoFfn::kind, read<NoFfn>},
};
static_assert(std::size(ffn_readers) == std::variant_size_v<FfnShape>,
              "a kind of FFN has no line in the reader's table");

}  // namespace

FfnSpec read_ffn(const Section& list, const std::string& name, const Sources& sources) {
  const Section any = list.names(name);
  const FfnReader reader = any.choice("kind", ffn_readers);
  FfnSpec spec{.name = name,
               .shape = reader(list, name),
               .source = read_source(any, sources),
               .weights = {},
               .shared_weights = {},
               .compute = {},
               .weight_sets = read_weight_sets(any)};
  if (any.has(keys::weights)) spec.weights = read_weight_format(any, keys::weights);
  if (any.has(keys::shared_weights))
    spec.shared_weights = read_weight_format(any, keys::shared_weights);
  if (any.has(keys::ffn_compute)) spec.compute = any.choice(keys::ffn_compute, compute_dtype_names);
  return spec;
}

}  // namespace afford
