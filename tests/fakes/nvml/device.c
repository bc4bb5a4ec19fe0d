/* What a device is, and its scalar readings. */
#include "fake.h"
#include <stdio.h>
#include <string.h>

typedef struct { unsigned gpu, memory; } Utilization;
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } MemoryV2;
typedef struct { unsigned version; int sensor, temperature; } TemperatureV1;
typedef struct { unsigned version; int margin; } MarginV1;
typedef struct { char legacy[16]; unsigned domain, bus, device, id, subsystem; char text[32]; } PciInfo;

#define SYSTEM_TEXT(symbol, text) int symbol(char *into, unsigned n) { \
    int code = begin(C_##symbol, NULL); \
    if (!code) { snprintf(into, n, "%s", text); mangle(NULL, into, n); } \
    return code; }
SYSTEM_TEXT(nvmlSystemGetDriverVersion, state.driver)
SYSTEM_TEXT(nvmlSystemGetNVMLVersion, state.nvml)

int nvmlSystemGetCudaDriverVersion(int *v) { int c = begin(C_nvmlSystemGetCudaDriverVersion, NULL); if (!c) { *v = state.cuda; mangle(NULL, v, sizeof *v); } return c; }
int nvmlSystemGetCudaDriverVersion_v2(int *v) { int c = begin(C_nvmlSystemGetCudaDriverVersion_v2, NULL); if (!c) { *v = state.cuda; mangle(NULL, v, sizeof *v); } return c; }
int nvmlDeviceGetCount_v2(unsigned *n) { int c = begin(C_nvmlDeviceGetCount_v2, NULL); if (!c) { *n = told(); mangle(NULL, n, sizeof *n); } return c; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t *device) {
    int code = begin(C_nvmlDeviceGetHandleByIndex_v2, index < MAX_GPUS ? &handles[index] : NULL);
    if (index >= (unsigned)told()) return INVALID_ARGUMENT;
    if (!code) *device = &handles[index];
    return code;
}

static nvmlDevice_t named(const char *uuid) {
    for (int i = 0; i < told(); i++) {
        if (!strcmp(uuid, state.gpus[i].uuid)) return &handles[i];
        for (int j = 0; j < state.gpus[i].mig_count; j++)
            if (!strcmp(uuid, state.gpus[i].migs[j].uuid)) return &mig_handles[i][j];
    }
    return NULL;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *device) {
    nvmlDevice_t found = named(uuid);
    int code = begin(C_nvmlDeviceGetHandleByUUID, found);
    if (code) return code;
    *device = found;
    return found ? OK : NOT_FOUND;
}

int nvmlDeviceGetName(nvmlDevice_t d, char *into, unsigned n) {
    int code = begin(C_nvmlDeviceGetName, d);
    if (code) return code;
    if (d->mig < 0) snprintf(into, n, "%s", gpu_of(d)->name);
    else snprintf(into, n, "%s MIG %s", gpu_of(d)->name, gpu_of(d)->migs[d->mig].profile);
    mangle(d, into, n);
    return OK;
}

int nvmlDeviceGetUUID(nvmlDevice_t d, char *into, unsigned n) {
    int code = begin(C_nvmlDeviceGetUUID, d);
    if (code) return code;
    snprintf(into, n, "%s", d->mig < 0 ? gpu_of(d)->uuid : gpu_of(d)->migs[d->mig].uuid);
    mangle(d, into, n);
    return OK;
}

int nvmlDeviceGetPciInfo_v3(nvmlDevice_t d, PciInfo *info) {
    int code = begin(C_nvmlDeviceGetPciInfo_v3, d);
    if (code) return code;
    memset(info, 0, sizeof *info);
    snprintf(info->text, sizeof info->text, "%s", gpu_of(d)->bus);
    snprintf(info->legacy, sizeof info->legacy, "%s", gpu_of(d)->bus + 4);
    sscanf(gpu_of(d)->bus, "%x:%x:%x", &info->domain, &info->bus, &info->device);
    info->id = 0x233010de;
    mangle(d, info, sizeof *info);
    return OK;
}

#define UNSIGNED(symbol, value) int symbol(nvmlDevice_t d, unsigned *into) { \
    int code = begin_gpu(C_##symbol, d); \
    if (!code) { *into = (unsigned)(value); mangle(d, into, sizeof *into); } \
    return code; }
UNSIGNED(nvmlDeviceGetMinorNumber, gpu_of(d)->minor)
UNSIGNED(nvmlDeviceGetIndex, d->gpu)
UNSIGNED(nvmlDeviceGetNumGpuCores, 16896)
UNSIGNED(nvmlDeviceGetMaxPcieLinkGeneration, gpu_of(d)->pcie_generation)
UNSIGNED(nvmlDeviceGetMaxPcieLinkWidth, gpu_of(d)->pcie_width)
UNSIGNED(nvmlDeviceGetCurrPcieLinkGeneration, gpu_of(d)->pcie_generation)
UNSIGNED(nvmlDeviceGetCurrPcieLinkWidth, gpu_of(d)->pcie_width)
UNSIGNED(nvmlDeviceGetPowerUsage, reading(d, S_power))
UNSIGNED(nvmlDeviceGetEnforcedPowerLimit, reading(d, S_power_limit))
UNSIGNED(nvmlDeviceGetNumFans, gpu_of(d)->fans)
UNSIGNED(nvmlDeviceGetFanSpeed, reading(d, S_fan))
UNSIGNED(nvmlDeviceGetPerformanceState, reading(d, S_pstate))

#define MASK(symbol) int symbol(nvmlDevice_t d, unsigned long long *into) { \
    int code = begin_gpu(C_##symbol, d); \
    if (!code) { *into = (unsigned long long)reading(d, S_throttle); mangle(d, into, sizeof *into); } \
    return code; }
MASK(nvmlDeviceGetCurrentClocksEventReasons)
MASK(nvmlDeviceGetCurrentClocksThrottleReasons)

#define ENGINE(symbol, which) int symbol(nvmlDevice_t d, unsigned *into, unsigned *period) { \
    int code = begin_gpu(C_##symbol, d); \
    if (!code && gpu_of(d)->mig_enabled) code = NOT_SUPPORTED; \
    if (!code) { *into = (unsigned)reading(d, which); *period = 166666; mangle(d, into, sizeof *into); } \
    return code; }
ENGINE(nvmlDeviceGetEncoderUtilization, S_encoder)
ENGINE(nvmlDeviceGetDecoderUtilization, S_decoder)
ENGINE(nvmlDeviceGetJpgUtilization, S_jpeg)
ENGINE(nvmlDeviceGetOfaUtilization, S_ofa)

int nvmlDeviceGetCudaComputeCapability(nvmlDevice_t d, int *major, int *minor) {
    int code = begin(C_nvmlDeviceGetCudaComputeCapability, d);
    if (!code) { *major = gpu_of(d)->major_capability; *minor = 0; mangle(d, major, sizeof *major); }
    return code;
}

int nvmlDeviceGetUtilizationRates(nvmlDevice_t d, Utilization *into) {
    int code = begin_gpu(C_nvmlDeviceGetUtilizationRates, d);
    if (!code && gpu_of(d)->mig_enabled) code = NOT_SUPPORTED;
    if (!code) *into = (Utilization){(unsigned)reading(d, S_util), (unsigned)reading(d, S_util_memory)};
    if (!code) mangle(d, into, sizeof *into);
    return code;
}

static uint64_t mig_used(nvmlDevice_t d) { Mig *mig = &gpu_of(d)->migs[d->mig]; return (uint64_t)signal_at(gpu_of(d), &mig->used, now_s()); }

int nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t d, MemoryV2 *into) {
    int code = begin(C_nvmlDeviceGetMemoryInfo_v2, d);
    if (code) return code;
    if (into->version != (sizeof *into | 2u << 24)) return VERSION_MISMATCH;
    into->total = d->mig < 0 ? gpu_of(d)->memory_total : gpu_of(d)->migs[d->mig].total;
    into->reserved = d->mig < 0 ? (uint64_t)reading(d, S_memory_reserved) : 0;
    into->used = d->mig < 0 ? (uint64_t)reading(d, S_memory_used) : mig_used(d);
    into->free = into->total - into->used - into->reserved;
    mangle(d, &into->total, sizeof *into - offsetof(MemoryV2, total));
    return OK;
}

/* Version 1 has no `reserved`: it counts as used. */
int nvmlDeviceGetMemoryInfo(nvmlDevice_t d, Memory *into) {
    int code = begin(C_nvmlDeviceGetMemoryInfo, d);
    if (code) return code;
    into->total = d->mig < 0 ? gpu_of(d)->memory_total : gpu_of(d)->migs[d->mig].total;
    into->used = d->mig < 0 ? (uint64_t)(reading(d, S_memory_used) + reading(d, S_memory_reserved)) : mig_used(d);
    into->free = into->total - into->used;
    mangle(d, into, sizeof *into);
    return OK;
}

int nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t d, unsigned long long *into) {
    int code = begin_gpu(C_nvmlDeviceGetTotalEnergyConsumption, d);
    if (!code) *into = (unsigned long long)signal_at(gpu_of(d), &gpu_of(d)->fields[83].signal, now_s());
    if (!code) mangle(d, into, sizeof *into);
    return code;
}

int nvmlDeviceGetTemperature(nvmlDevice_t d, int sensor, unsigned *into) {
    int code = begin_gpu(C_nvmlDeviceGetTemperature, d);
    if (!code && sensor) code = INVALID_ARGUMENT;
    if (!code) *into = (unsigned)reading(d, S_temperature);
    if (!code) mangle(d, into, sizeof *into);
    return code;
}

int nvmlDeviceGetTemperatureV(nvmlDevice_t d, TemperatureV1 *into) {
    int code = begin_gpu(C_nvmlDeviceGetTemperatureV, d);
    if (!code && into->version != (sizeof *into | 1u << 24)) code = VERSION_MISMATCH;
    if (!code) { into->temperature = (int)reading(d, S_temperature); mangle(d, &into->temperature, sizeof into->temperature); }
    return code;
}

int nvmlDeviceGetTemperatureThreshold(nvmlDevice_t d, int kind, unsigned *into) {
    int code = begin_gpu(C_nvmlDeviceGetTemperatureThreshold, d);
    if (!code) *into = kind == 0 ? 92 : kind == 1 ? 89 : 87;
    if (!code) mangle(d, into, sizeof *into);
    return code;
}

int nvmlDeviceGetMarginTemperature(nvmlDevice_t d, MarginV1 *into) {
    int code = begin_gpu(C_nvmlDeviceGetMarginTemperature, d);
    if (!code && into->version != (sizeof *into | 1u << 24)) code = VERSION_MISMATCH;
    if (!code) { into->margin = (int)reading(d, S_margin); mangle(d, &into->margin, sizeof into->margin); }
    return code;
}

int nvmlDeviceGetClockInfo(nvmlDevice_t d, int kind, unsigned *into) {
    int code = begin_gpu(C_nvmlDeviceGetClockInfo, d);
    if (!code) *into = (unsigned)reading(d, kind == 2 ? S_clock_memory : S_clock_sm);
    if (!code) mangle(d, into, sizeof *into);
    return code;
}

int nvmlDeviceGetMaxClockInfo(nvmlDevice_t d, int kind, unsigned *into) {
    int code = begin_gpu(C_nvmlDeviceGetMaxClockInfo, d);
    if (!code) *into = kind == 2 ? 2619 : 1980;
    if (!code) mangle(d, into, sizeof *into);
    return code;
}

int nvmlDeviceGetFanSpeed_v2(nvmlDevice_t d, unsigned fan, unsigned *into) {
    int code = begin_gpu(C_nvmlDeviceGetFanSpeed_v2, d);
    if (!code && fan >= (unsigned)gpu_of(d)->fans) code = INVALID_ARGUMENT;
    if (!code) *into = (unsigned)reading(d, S_fan) + 10 * fan;
    if (!code) mangle(d, into, sizeof *into);
    return code;
}

/* Counts over a window of 20 ms: the latency of this call is what nobody should pay in a loop. */
int nvmlDeviceGetPcieThroughput(nvmlDevice_t d, int counter, unsigned *into) {
    int code = begin_gpu(C_nvmlDeviceGetPcieThroughput, d);
    if (!code) *into = (unsigned)(reading(d, counter ? S_pcie_rx : S_pcie_tx) / 1024);
    return code;
}

/* We do not ask; other monitors do when they start. The fake's links have throughput and no version. */
int nvmlDeviceGetNvLinkVersion(nvmlDevice_t d, unsigned link, unsigned *into) {
    (void)link; (void)into;
    int code = begin_gpu(C_nvmlDeviceGetNvLinkVersion, d);
    return code ? code : NOT_SUPPORTED;
}
