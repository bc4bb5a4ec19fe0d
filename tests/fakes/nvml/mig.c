/* The MIG tree, and GPM (profiling by the difference of two samples). */
#include "fake.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct { unsigned sm, copy, decoder, encoder, jpeg, ofa, gi_slices, ci_slices; unsigned long long memory_mib; } Attributes;
typedef struct { int gpu, mig, generation; double t; } GpmSample;
typedef struct { unsigned id; int code; double value; struct { char *short_name, *long_name, *unit; } info; } GpmMetric;
typedef struct { unsigned version, n; GpmSample *first, *second; GpmMetric metrics[]; } GpmRequest;
typedef struct { unsigned version, supported; } GpmSupport;

int nvmlDeviceGetMigMode(nvmlDevice_t d, unsigned *current, unsigned *pending) {
    int code = begin_gpu(C_nvmlDeviceGetMigMode, d);
    if (!code && gpu_of(d)->major_capability < 8) code = NOT_SUPPORTED;
    if (!code) { *current = *pending = gpu_of(d)->mig_enabled; mangle(d, current, sizeof *current); }
    return code;
}

int nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t d, unsigned *n) {
    int code = begin_gpu(C_nvmlDeviceGetMaxMigDeviceCount, d);
    if (!code) { *n = gpu_of(d)->mig_enabled ? 7 : 0; mangle(d, n, sizeof *n); }
    return code;
}

int nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t d, unsigned index, nvmlDevice_t *into) {
    int code = begin_gpu(C_nvmlDeviceGetMigDeviceHandleByIndex, d);
    if (code) return code;
    if (index >= (unsigned)gpu_of(d)->mig_count) return NOT_FOUND;
    *into = &mig_handles[d->gpu][index];
    return OK;
}

static int of_mig(int call, nvmlDevice_t d) {
    int code = begin(call, d);
    return code ? code : d->mig < 0 ? NOT_SUPPORTED : OK;
}

int nvmlDeviceGetGpuInstanceId(nvmlDevice_t d, unsigned *id) {
    int code = of_mig(C_nvmlDeviceGetGpuInstanceId, d);
    if (!code) { *id = gpu_of(d)->migs[d->mig].gi; mangle(d, id, sizeof *id); }
    return code;
}

int nvmlDeviceGetComputeInstanceId(nvmlDevice_t d, unsigned *id) {
    int code = of_mig(C_nvmlDeviceGetComputeInstanceId, d);
    if (!code) { *id = gpu_of(d)->migs[d->mig].ci; mangle(d, id, sizeof *id); }
    return code;
}

int nvmlDeviceIsMigDeviceHandle(nvmlDevice_t d, unsigned *is) {
    int code = begin(C_nvmlDeviceIsMigDeviceHandle, d);
    if (!code) *is = d->mig >= 0;
    return code;
}

int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(nvmlDevice_t d, nvmlDevice_t *into) {
    int code = of_mig(C_nvmlDeviceGetDeviceHandleFromMigDeviceHandle, d);
    if (!code) *into = &handles[d->gpu];
    return code;
}

int nvmlDeviceGetAttributes_v2(nvmlDevice_t d, Attributes *into) {
    int code = of_mig(C_nvmlDeviceGetAttributes_v2, d);
    if (!code) *into = (Attributes){.sm = 16, .gi_slices = 1, .ci_slices = 1, .memory_mib = gpu_of(d)->migs[d->mig].total >> 20};
    return code;
}

int nvmlGpmQueryDeviceSupport(nvmlDevice_t d, GpmSupport *into) {
    int code = begin(C_nvmlGpmQueryDeviceSupport, d);
    if (!code && into->version != 1) code = VERSION_MISMATCH;
    if (!code) into->supported = gpu_of(d)->gpm_support && gpu_of(d)->major_capability >= 9;
    return code;
}

int nvmlGpmSampleAlloc(GpmSample **sample) {
    int code = begin(C_nvmlGpmSampleAlloc, NULL);
    if (!code) { *sample = calloc(1, sizeof **sample); (*sample)->gpu = -1; }
    return code;
}

int nvmlGpmSampleFree(GpmSample *sample) {
    int code = begin(C_nvmlGpmSampleFree, NULL);
    if (!code) free(sample);
    return code;
}

static int take(int call, nvmlDevice_t d, int mig, GpmSample *sample) {
    int code = begin(call, d);
    if (!code && !(gpu_of(d)->gpm_support && gpu_of(d)->major_capability >= 9)) code = NOT_SUPPORTED;
    if (!code) *sample = (GpmSample){d->gpu, mig, mig < 0 ? 0 : gpu_of(d)->migs[mig].generation, now_s()};
    return code;
}

int nvmlGpmSampleGet(nvmlDevice_t d, GpmSample *sample) { return take(C_nvmlGpmSampleGet, d, d ? d->mig : -1, sample); }

int nvmlGpmMigSampleGet(nvmlDevice_t d, unsigned gi, GpmSample *sample) {
    for (int i = 0; i < gpu_of(d)->mig_count; i++)
        if (gpu_of(d)->migs[i].gi == (int)gi) return take(C_nvmlGpmMigSampleGet, d, i, sample);
    int code = begin(C_nvmlGpmMigSampleGet, d);
    return code ? code : NOT_FOUND;
}

static const Signal *gpm_signal(const Gpu *gpu, int mig, unsigned id) {
    if (id >= MAX_GPM) return NULL;
    if (mig < 0) return gpu->gpm_known[id] ? &gpu->gpm[id] : NULL;
    for (int i = 0; i < 8; i++) if (gpu->migs[mig].gpm_id[i] == (int)id) return &gpu->migs[mig].gpm[i];
    return NULL;
}

/* The mean of each metric between the two samples. A window under 100 ms holds nothing valid. */
int nvmlGpmMetricsGet(GpmRequest *request) {
    GpmSample *a = request->first, *b = request->second;
    int code = begin(C_nvmlGpmMetricsGet, a && a->gpu >= 0 ? &handles[a->gpu] : NULL);
    if (code) return code;
    if (request->version != 1) return VERSION_MISMATCH;
    if (!a || !b || a->gpu < 0 || a->gpu != b->gpu || a->mig != b->mig || a->generation != b->generation) return INVALID_ARGUMENT;
    for (unsigned i = 0; i < request->n; i++) {
        const Signal *signal = gpm_signal(&state.gpus[a->gpu], a->mig, request->metrics[i].id);
        int too_short = b->t - a->t < 0.0999;
        request->metrics[i].code = !signal ? NOT_SUPPORTED : too_short ? NO_DATA : OK;
        request->metrics[i].value = !signal || too_short ? NAN : signal_mean(&state.gpus[a->gpu], signal, a->t, b->t);
    }
    return OK;
}
