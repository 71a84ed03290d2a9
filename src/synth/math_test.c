// The polynomials and the Fourier transform against libm.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SYNTH_WIDTH 1
#include "synth/dsp/fourier.h"

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static void exp2_is_exact(void **unused)
{
    (void)unused;
    double worst = 0;
    for (double x = -119.9; x < 119.9; x += 0.00731)
        worst = larger(worst, fabs(vf_exp2((float)x) / exp2((double)(float)x) - 1));
    assert_true(worst < 3e-7);
    assert_true(vf_exp2(0) == 1.0f && vf_exp2(3) == 8.0f);
    assert_true(vf_exp2(NAN) < 1e-30f);
}

static void log2_is_exact(void **unused)
{
    (void)unused;
    double worst = 0;
    for (double x = 1e-30; x < 1e30; x *= 1.00917) {
        double want = log2((double)(float)x);
        worst = larger(worst, fabs(vf_log2((float)x) - want) / larger(1, fabs(want)));
    }
    assert_true(worst < 3e-7);
    assert_true(vf_log2(1) == 0);
}

static void sine_is_exact(void **unused)
{
    (void)unused;
    double worst = 0;
    for (uint64_t phase = 0; phase < UINT64_C(1) << 32; phase += 104729)
        worst = larger(worst, fabs(vf_sin_phase((uint32_t)phase) - sin(2 * M_PI * (double)phase / 0x1p32)));
    for (double x = -0.49; x < 0.49; x += 0.0001)
        worst = larger(worst, fabs(vf_sin_turns((float)x) - sin(2 * M_PI * (double)(float)x)));
    assert_true(worst < 1e-6);
}

static void tangent_is_exact(void **unused)
{
    (void)unused;
    double worst = 0;
    for (double x = 2e-4; x < 0.47; x += 1e-4)
        worst = larger(worst, fabs(vf_tan_pi((float)x) / tan(M_PI * (double)(float)x) - 1));
    assert_true(worst < 1e-5);
}

static void tanh_is_exact(void **unused)
{
    (void)unused;
    double worst = 0, before = -2;
    for (double x = -9; x < 9; x += 0.001) {
        double is = vf_tanh((float)x);
        worst = larger(worst, fabs(is - tanh((double)(float)x)));
        assert_true(is >= before - 1e-6);
        before = is;
    }
    assert_true(worst < 2e-4);
}

// Numbers without a pattern against the sum that defines each frequency.
static void the_transform_is_fouriers(void **unused)
{
    (void)unused;
    static struct fourier f, spare, given;
    static struct fourier_roots roots;
    double worst = 0;
    for (int i = 0; i < FOURIER_SIZE; i++) {
        f.re[i] = given.re[i] = (float)(i * 7919 % 1009) / 1009 - 0.5f;
        f.im[i] = given.im[i] = (float)(i * 6007 % 1013) / 1013 - 0.5f;
    }
    fourier_find_roots(&roots);
    fourier_transform(&f, &spare, &roots);
    for (int k = 0; k < FOURIER_SIZE; k += 37) {
        double re = 0, im = 0;
        for (int i = 0; i < FOURIER_SIZE; i++) {
            double turn = 2 * M_PI * (i * k % FOURIER_SIZE) / FOURIER_SIZE;
            re += given.re[i] * cos(turn) + given.im[i] * sin(turn);
            im += given.im[i] * cos(turn) - given.re[i] * sin(turn);
        }
        worst = larger(worst, hypot(f.re[k] - re, f.im[k] - im));
    }
    assert_true(worst < 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp2_is_exact), cmocka_unit_test(log2_is_exact), cmocka_unit_test(sine_is_exact),
        cmocka_unit_test(tangent_is_exact), cmocka_unit_test(tanh_is_exact),
        cmocka_unit_test(the_transform_is_fouriers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
