#pragma once
#define math_check_force_underflow(x) ((void)(x))
