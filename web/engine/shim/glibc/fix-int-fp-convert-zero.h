#pragma once
#define FIX_INT_FP_CONVERT_ZERO 0
