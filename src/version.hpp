#pragma once

namespace afford {
inline constexpr const char* version = AFFORD_VERSION;  // from CMakeLists.txt
}
