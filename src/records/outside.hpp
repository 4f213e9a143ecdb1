#pragma once
// Why a deployment that somebody asks about is not among those that a search tries.

#include <string>
#include <string_view>

#include "study/frontier.hpp"

namespace afford {

/// "step-3 has 48 experts, fewer than 64 accelerators", of a label such as 2A2F, EP64 or TP16; the
/// flags that bound every search where nothing closer is known.
[[nodiscard]] std::string outside_reason(const study::FrontierCase& of, std::string_view label);

}  // namespace afford
