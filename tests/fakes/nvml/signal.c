#include "fake.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double pool[8192];
static int used;

static const char *NAMES[] = {
#define X(name) #name,
    SIGNALS(X)
#undef X
};

static int shape_of(const char *word) {
    const char *shapes[] = {"const", "sine", "square", "steps", "rate", "integral", "copy"};
    for (int i = 0; i < 7; i++) if (!strcmp(word, shapes[i])) return i;
    return -1;
}

static int signal_named(const char *name) {
    for (int i = 0; i < SIGNAL_COUNT; i++) if (!strcmp(name, NAMES[i])) return i;
    return -1;
}

static int parse_steps(char **words, int n, Signal *signal) {
    signal->first = used;
    for (int i = 0; i < n && used + 2 <= 8192; i++) {
        char *colon = strchr(words[i], ':');
        if (!colon) return -1;
        pool[used++] = atof(words[i]);
        pool[used++] = atof(colon + 1);
        signal->n++;
    }
    return signal->n ? 0 : -1;
}

void signal_reset(void) { used = 0; }

int signal_parse(char **words, int n, Signal *signal) {
    memset(signal, 0, sizeof *signal);
    if (n < 1) return -1;
    int shape = shape_of(words[0]);
    if (shape < 0) { signal->a = atof(words[0]); return 0; }
    signal->shape = shape;
    if (shape == STEPS) return parse_steps(words + 1, n - 1, signal);
    double *slot[] = {&signal->a, &signal->b, &signal->c, &signal->d};
    int skip = 1;
    if (shape == INTEGRAL || shape == COPY) { if (n < 2 || (signal->of = signal_named(words[1])) < 0) return -1; signal->a = 1; skip = 2; }
    if (shape == SQUARE) signal->d = 0.5;
    for (int i = 0; i < 4 && skip + i < n; i++) *slot[i] = atof(words[skip + i]);
    return 0;
}

static double steps_integral(const Signal *s, double t, int integral) {
    double total = 0, value = 0, from = 0;
    for (int i = 0; i < s->n; i++) {
        double at = pool[s->first + 2 * i];
        if (at > t) break;
        total += value * (at - from);
        from = at;
        value = pool[s->first + 2 * i + 1];
    }
    return integral ? total + value * (t - from) : value;
}

static double square_integral(const Signal *s, double t) {
    double whole = floor(t / s->c), rest = t - whole * s->c, high = s->d * s->c;
    double per = s->b * high + s->a * (s->c - high);
    return whole * per + (rest < high ? s->b * rest : s->b * high + s->a * (rest - high));
}

static double integral_to(const Signal *s, double t) {
    double turn = s->c ? 2 * M_PI / s->c : 1;
    switch (s->shape) {
    case SINE: return s->a * t - s->b / turn * (cos(turn * t + s->d) - cos(s->d));
    case SQUARE: return square_integral(s, t);
    case STEPS: return steps_integral(s, t, 1);
    case RATE: return s->b * t + s->a * t * t / 2;
    default: return s->a * t;
    }
}

/* sine mean amplitude period [phase] | square low high period [duty] | steps t:v ... |
 * rate per_second [start] | integral signal [factor] [start] | copy signal [factor] [offset] | number */
double signal_at(const Gpu *gpu, const Signal *s, double t) {
    switch (s->shape) {
    case SINE: return s->a + s->b * sin((s->c ? 2 * M_PI / s->c : 1) * t + s->d);
    case SQUARE: return fmod(t, s->c) < s->d * s->c ? s->b : s->a;
    case STEPS: return steps_integral(s, t, 0);
    case RATE: return s->b + s->a * t;
    case COPY: return s->b + s->a * signal_at(gpu, &gpu->signals[s->of], t);
    case INTEGRAL: return s->b + s->a * integral_to(&gpu->signals[s->of], t);
    default: return s->a;
    }
}

double signal_mean(const Gpu *gpu, const Signal *s, double from, double to) {
    if (s->shape == INTEGRAL || s->shape == COPY || to <= from) return signal_at(gpu, s, to);
    return (integral_to(s, to) - integral_to(s, from)) / (to - from);
}
