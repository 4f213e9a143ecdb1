#pragma once
// What sources of glibc's libm include of the rest of glibc. Their functions are named by -D
// (__cbrt as cbrt), so that no alias is left to make.
#define libm_alias_double(from, to)
