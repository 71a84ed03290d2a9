// The SIMD levels: a table and a question to the machine for each. Which of them are built in is settled by meson.
#pragma once
#include "synth/backend.h"

extern const struct backend backend_scalar, backend_sse2, backend_avx2, backend_avx512, backend_neon;

bool scalar_available(void);
bool sse2_available(void);
bool avx2_available(void);
bool avx512_available(void);
bool neon_available(void);
