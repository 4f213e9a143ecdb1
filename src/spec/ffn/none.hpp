#pragma once
#include "spec/ffn/count.hpp"
#include "spec/keys.hpp"

namespace afford {

/// A layer that ends with its attention (Nemotron-H, Falcon-H1: two mixers before one FFN).
struct NoFfn {
  static constexpr std::string_view kind = "none";
  static constexpr auto keys() {
    return std::array<Key<NoFfn>, 1>{{keys::format<NoFfn>(keys::weights)}};
  }
};

[[nodiscard]] inline FfnCount count(const NoFfn&) { return {}; }

[[nodiscard]] inline std::string text(const NoFfn&) { return "no FFN"; }

}  // namespace afford
