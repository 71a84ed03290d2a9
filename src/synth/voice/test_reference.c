#include "synth/voice/test_reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <tgmath.h>

#include "base/check.h"
#include "synth/voice/work.h"

#define REAL double
#define OF(name) name##_double
#include "synth/voice/test_reference_body.h"
#undef REAL
#undef OF

#define REAL float
#define OF(name) name##_float
#include "synth/voice/test_reference_body.h"
