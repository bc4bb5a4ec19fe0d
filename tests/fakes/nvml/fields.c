/* nvmlDeviceGetFieldValues: each entry has its own code, type, timestamp and latency; and the sample buffers. */
#include "fake.h"
#include <math.h>
#include <string.h>

typedef union { double d; unsigned ui; unsigned long ul; unsigned long long ull; long long sll; int si; unsigned short us; } Value;
typedef struct { uint32_t id, scope; int64_t stamp, latency; unsigned type; int code; Value value; } FieldValue;
typedef struct { unsigned long long stamp; Value value; } Sample;

static double counted(const Gpu *gpu, const Field *f, double t) {
    double value = signal_at(gpu, &f->signal, t);
    if (f->reset_at >= 0 && t >= f->reset_at) value -= signal_at(gpu, &f->signal, f->reset_at);
    return f->wrap > 0 ? fmod(value, f->wrap) : value;
}

static Value typed(int type, double value) {
    Value v;
    memset(&v, 0, sizeof v);
    if (type == 0) v.d = value;
    else if (type == 1) v.ui = (unsigned)value;
    else if (type == 4) v.sll = (long long)value;
    else if (type == 5) v.si = (int)value;
    else if (type == 6) v.us = (unsigned short)value;
    else v.ull = (unsigned long long)value;
    return v;
}

/* NVLink counters are of one link, or of all with scope UINT32_MAX. */
static int scoped(const Gpu *gpu, uint32_t id, uint32_t scope, double *value) {
    if (id != 138 && id != 139 && id != 202 && id != 204) return OK;
    if (scope == UINT32_MAX) return id > 139 || !gpu->nvlinks ? NOT_SUPPORTED : OK;
    if (scope >= (uint32_t)gpu->nvlinks) return NOT_SUPPORTED;
    *value /= gpu->nvlinks;
    return OK;
}

static void one(const Gpu *gpu, FieldValue *entry, double t) {
    entry->code = INVALID_ARGUMENT;
    entry->stamp = stamp_us(t);
    if (entry->id >= MAX_FIELDS) return;
    __atomic_fetch_add(&counts->fields[entry->id], 1, __ATOMIC_RELAXED);
    const Field *f = &gpu->fields[entry->id];
    entry->code = f->code;
    entry->latency = f->latency_us;
    if (f->code) return;
    spin_us(f->latency_us);
    double value = counted(gpu, f, t);
    entry->code = scoped(gpu, entry->id, entry->scope, &value);
    entry->type = f->type;
    entry->value = typed(f->type, value);
}

int nvmlDeviceGetFieldValues(nvmlDevice_t device, int n, FieldValue *entries) {
    int code = begin_gpu(C_nvmlDeviceGetFieldValues, device);
    if (code) return code;
    double t = now_s();
    for (int i = 0; i < n; i++) one(gpu_of(device), &entries[i], t);
    for (int i = 0; i < n && gpu_of(device)->fuzz; i++) mangle(device, &entries[i].stamp, sizeof *entries - offsetof(FieldValue, stamp));
    return OK;
}

/* Buffers of the last 20 s, one sample each 1/6 s, newest last. No two GPUs take theirs together. */
int nvmlDeviceGetSamples(nvmlDevice_t device, int kind, unsigned long long since, unsigned *type, unsigned *n, Sample *samples) {
    int code = begin_gpu(C_nvmlDeviceGetSamples, device);
    if (code) return code;
    const int of[] = {S_power, S_util, S_util_memory, S_encoder, S_decoder, S_clock_sm, S_clock_memory};
    if (gpu_of(device)->mig_enabled && kind > 0 && kind < 5) return NOT_SUPPORTED;
    if (kind < 0 || kind > 6) return kind < 10 ? NOT_SUPPORTED : INVALID_ARGUMENT;
    if (gpu_of(device)->sample_codes[kind]) return gpu_of(device)->sample_codes[kind];
    *type = 1;
    if (!samples) { *n = 120; return OK; }
    Gpu *gpu = gpu_of(device);
    unsigned count = 0;
    double phase = fmod(device->gpu * 0.021, 1 / 6.0);
    long newest = (long)floor((now_s() - phase) * 6);
    for (long i = newest > 119 ? newest - 119 : 0; i <= newest; i++) {
        double t = i / 6.0 + phase;
        unsigned long long stamp = (unsigned long long)stamp_us(t);
        if (stamp <= since && !gpu->whole_samples) continue;
        if (count == *n) return INSUFFICIENT_SIZE;
        samples[count].stamp = stamp;
        samples[count++].value = typed(1, signal_at(gpu, &gpu->signals[of[kind]], t));
        if (gpu->twice_samples && count < *n) { samples[count] = samples[count - 1]; count++; }
    }
    /* Places that were never filled come last. */
    for (int i = 0; gpu->whole_samples && i < 3 && count < *n; i++) samples[count++] = (Sample){0};
    *n = count;
    mangle(device, samples, count * sizeof *samples);
    mangle(device, type, sizeof *type);
    mangle(device, n, sizeof *n);
    return count ? OK : NOT_FOUND;
}
