#include "deploy/cache_pages.hpp"

#include <algorithm>
#include <cmath>

namespace afford {
namespace {

/// Pages of `tokens` each that the last `window` of `context` tokens lie in.
double pages_of(double context, double window, double tokens) {
  const double kept = window > 0 ? std::min(context, window) : context;
  const double end = std::ceil(context), begin = end - std::ceil(kept);
  return std::floor((end - 1) / tokens) - std::floor(begin / tokens) + 1;
}

/// Each kind in a pool of its own that holds what it needs (TensorRT-LLM, which shares memory out
/// by window times bytes a token; engines without windows).
Bytes by_kind(const KeptKinds& kinds, const CachePages& pages, double context) {
  Bytes sum;
  for (const KeptLayers& k : kinds.all()) {
    const double tokens = pages_of(context, k.window, pages.tokens) * pages.tokens;
    sum += k.layers * (k.state + tokens * k.token);
  }
  return sum;
}

/// Two pools of fixed sizes, of which that of the windows has `share` as many tokens as the other:
/// the one that is full first decides (SGLang, --swa-full-tokens-ratio).
Bytes by_shares(const KeptKinds& kinds, const CachePages& pages, double context) {
  Bytes full, windows, states;
  double longest = 0;
  for (const KeptLayers& k : kinds.all()) {
    states += k.layers * k.state;
    (k.window > 0 ? windows : full) += k.layers * k.token;
    longest = std::max(longest, std::min(context, k.window));
  }
  const double slots = std::max(context, longest / pages.window_share);
  return states + slots * (full + pages.window_share * windows);
}

/// Layers of a group: as many as the rarest kind has, or as the commonest where that is less than
/// half more; the last group of a kind is padded.
double layers_of_group(const KeptKinds& kinds) {
  double least = kinds.kinds[0].layers, most = least;
  for (const KeptLayers& k : kinds.all()) {
    least = std::min(least, k.layers);
    most = std::max(most, k.layers);
  }
  return most < 1.5 * least ? most : least;
}

/// One pool whose pages hold a block of a group of layers, whatever their kind (vLLM).
Bytes by_groups(const KeptKinds& kinds, const CachePages& pages, double context) {
  const double layers = layers_of_group(kinds);
  const Bytes page = shared_page(kinds, pages.tokens);
  double taken = 0;
  for (const KeptLayers& k : kinds.all()) {
    const double groups = std::ceil(k.layers / layers);
    if (k.token > Bytes(0)) {
      const double tokens = pages.tokens * std::floor(page / (pages.tokens * k.token));
      taken += groups * pages_of(context, k.window, tokens);
    } else {
      taken += groups;
    }
  }
  return taken * layers * page;
}

template <class Is>
bool any(const KeptKinds& kinds, const Is& is) {
  const auto all = kinds.all();
  return std::any_of(all.begin(), all.end(), is);
}

}  // namespace

void KeptKinds::add(const KeptLayers& more) {
  if (more.token == Bytes(0) && more.state == Bytes(0)) return;
  for (size_t i = 0; i < count; ++i) {
    if (!kinds[i].alike(more)) continue;
    kinds[i].layers += more.layers;
    return;
  }
  kinds[count++] = more;
}

KeptKinds kept_kinds(std::span<const LayerShape> shapes, double tensor) {
  KeptKinds kinds{.kinds = PerKind<KeptLayers>(shapes.size())};
  for (const LayerShape& shape : shapes) {
    const AttentionCount& a = shape.attention;
    KeptLayers layer{.layers = real(shape.layers)};
    for (const Walk& walk : a.core.walks()) {
      if (!walk.kept) continue;
      const bool window =
          walk.reach.kind == Reach::Kind::sliding || walk.reach.kind == Reach::Kind::chunked;
      kinds.mixed |= layer.window > 0 || (window && layer.token > Bytes(0));
      layer.token += entry_bytes(walk, shape.cache, 1 / walk.stride);
      if (window) layer.window = real(walk.reach.tokens);
    }
    layer.state = core_kept(a.core, shape.cache, 0).state;
    kinds.mixed |= layer.token > Bytes(0) && layer.state > Bytes(0);
    const double ways = std::min<double>(tensor, a.kv_heads);
    layer.token = layer.token / ways;
    layer.state = layer.state / ways;
    kinds.add(layer);
  }
  return kinds;
}

Bytes shared_page(const KeptKinds& kinds, double block) {
  Bytes entry, state;
  for (const KeptLayers& k : kinds.all()) {
    entry = std::max(entry, k.token);
    state = std::max(state, k.state);
  }
  return std::max(1.0, std::ceil(state / (block * entry))) * block * entry;
}

Bytes paged_cache(const KeptKinds& kinds, const CachePages& pages, double context) {
  const bool window = any(kinds, [](const KeptLayers& k) { return k.window > 0; });
  const bool full =
      any(kinds, [](const KeptLayers& k) { return k.token > Bytes(0) && k.window == 0; });
  if (pages.window_share > 0 && window && full) return by_shares(kinds, pages, context);
  if (pages.one_size && kinds.count > 1 && (window || full))
    return by_groups(kinds, pages, context);
  return by_kind(kinds, pages, context);
}

}  // namespace afford
