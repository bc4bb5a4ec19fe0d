/* A stand-in for libnvidia-ml.so.1: N GPUs that follow a script.
 *
 * script.c   reads the script and keeps the state
 * signal.c   what a reading is at a time: constants, waves, steps, counters
 * call.c     what every call does first: count, spin, fail as scripted
 * device.c   scalar calls       fields.c  field values and samples
 * mig.c      MIG instances, GPM  events.c  events and processes
 */
#ifndef FAKE_H
#define FAKE_H
#include <stdint.h>
#include <stddef.h>

#define MAX_GPUS 64
#define MAX_MIGS 8
#define MAX_FIELDS 320
#define MAX_GPM 128
#define MAX_PROCESSES 256
#define MAX_XIDS 64

enum { OK = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6,
       INSUFFICIENT_SIZE = 7, TIMEOUT = 10, GPU_IS_LOST = 15, NO_DATA = 21, VERSION_MISMATCH = 25 };

typedef struct { int gpu, mig; } Handle;
typedef Handle *nvmlDevice_t;

typedef enum { CONST, SINE, SQUARE, STEPS, RATE, INTEGRAL, COPY } Shape;
typedef struct { Shape shape; double a, b, c, d; int first, n; int of; } Signal;

typedef struct { int code, type, latency_us; double wrap, reset_at; Signal signal; } Field;
typedef struct { int gi, ci, generation; char uuid[96], profile[48]; uint64_t total; Signal used, gpm[8]; int gpm_id[8]; } Mig;
typedef struct { unsigned pid; uint64_t bytes; int gi, ci; double from, to; } Process;

#define SIGNALS(X) X(util) X(util_memory) X(memory_used) X(memory_reserved) X(power) X(temperature) X(clock_sm) \
    X(clock_memory) X(fan) X(encoder) X(decoder) X(jpeg) X(ofa) X(power_limit) X(pstate) X(throttle) X(margin) \
    X(pcie_rx) X(pcie_tx) X(nvlink_rx) X(nvlink_tx) X(throttled)
enum {
#define X(name) S_##name,
SIGNALS(X)
#undef X
SIGNAL_COUNT };

#define CALLS(X) X(nvmlInit_v2) X(nvmlInitWithFlags) X(nvmlShutdown) X(nvmlSystemGetDriverVersion) X(nvmlSystemGetNVMLVersion) \
    X(nvmlSystemGetCudaDriverVersion) X(nvmlSystemGetCudaDriverVersion_v2) X(nvmlDeviceGetCount_v2) X(nvmlDeviceGetHandleByIndex_v2) \
    X(nvmlDeviceGetHandleByUUID) X(nvmlDeviceGetName) X(nvmlDeviceGetUUID) X(nvmlDeviceGetPciInfo_v3) X(nvmlDeviceGetMinorNumber) \
    X(nvmlDeviceGetIndex) X(nvmlDeviceGetCudaComputeCapability) X(nvmlDeviceGetNumGpuCores) X(nvmlDeviceGetMaxPcieLinkGeneration) \
    X(nvmlDeviceGetMaxPcieLinkWidth) X(nvmlDeviceGetCurrPcieLinkGeneration) X(nvmlDeviceGetCurrPcieLinkWidth) \
    X(nvmlDeviceGetUtilizationRates) X(nvmlDeviceGetMemoryInfo) X(nvmlDeviceGetMemoryInfo_v2) X(nvmlDeviceGetPowerUsage) \
    X(nvmlDeviceGetEnforcedPowerLimit) X(nvmlDeviceGetTotalEnergyConsumption) X(nvmlDeviceGetTemperature) \
    X(nvmlDeviceGetTemperatureV) X(nvmlDeviceGetTemperatureThreshold) X(nvmlDeviceGetMarginTemperature) X(nvmlDeviceGetClockInfo) \
    X(nvmlDeviceGetMaxClockInfo) X(nvmlDeviceGetNumFans) X(nvmlDeviceGetFanSpeed_v2) X(nvmlDeviceGetFanSpeed) X(nvmlDeviceGetPerformanceState) \
    X(nvmlDeviceGetCurrentClocksEventReasons) X(nvmlDeviceGetCurrentClocksThrottleReasons) X(nvmlDeviceGetEncoderUtilization) \
    X(nvmlDeviceGetDecoderUtilization) X(nvmlDeviceGetJpgUtilization) X(nvmlDeviceGetOfaUtilization) X(nvmlDeviceGetPcieThroughput) \
    X(nvmlDeviceGetFieldValues) X(nvmlDeviceGetSamples) X(nvmlDeviceGetComputeRunningProcesses_v3) \
    X(nvmlDeviceGetComputeRunningProcesses_v2) X(nvmlDeviceGetComputeRunningProcesses) \
    X(nvmlDeviceGetGraphicsRunningProcesses_v3) X(nvmlDeviceGetProcessUtilization) X(nvmlDeviceGetMigMode) \
    X(nvmlDeviceGetMaxMigDeviceCount) X(nvmlDeviceGetMigDeviceHandleByIndex) X(nvmlDeviceGetGpuInstanceId) \
    X(nvmlDeviceGetComputeInstanceId) X(nvmlDeviceIsMigDeviceHandle) X(nvmlDeviceGetDeviceHandleFromMigDeviceHandle) \
    X(nvmlDeviceGetAttributes_v2) X(nvmlGpmQueryDeviceSupport) X(nvmlGpmSampleAlloc) X(nvmlGpmSampleFree) X(nvmlGpmSampleGet) \
    X(nvmlGpmMigSampleGet) X(nvmlGpmMetricsGet) X(nvmlEventSetCreate) X(nvmlEventSetFree) X(nvmlDeviceGetSupportedEventTypes) \
    X(nvmlDeviceRegisterEvents) X(nvmlEventSetWait_v2) X(nvmlDeviceGetNvLinkVersion)
enum {
#define X(name) C_##name,
CALLS(X)
#undef X
CALL_COUNT };

typedef struct {
    char name[96], uuid[96], bus[32];
    int minor, fans, major_capability, pcie_generation, pcie_width, nvlinks, mig_enabled, mig_count;
    uint64_t memory_total;
    double lost_at, back_at;
    long lost_after_calls;
    uint64_t fuzz;
    int codes[CALL_COUNT];
    Signal signals[SIGNAL_COUNT];
    Field fields[MAX_FIELDS];
    Signal gpm[MAX_GPM];
    int gpm_known[MAX_GPM], gpm_support, whole_samples, twice_samples, sample_codes[7];
    Mig migs[MAX_MIGS];
} Gpu;

typedef struct { int gpu, code; double at; int delivered; } Xid;

typedef struct {
    int count, listed, listed_at_init, init_code, cuda;
    uint64_t fuzz;
    char driver[64], nvml[64];
    int codes[CALL_COUNT], latency_us[CALL_COUNT];
    double frozen, stamp_offset_s;
    Gpu gpus[MAX_GPUS];
    Process processes[MAX_PROCESSES];
    int process_gpu[MAX_PROCESSES], process_count;
    Xid xids[MAX_XIDS];
    int xid_count;
} State;

/* Shared with the test: one block a call, mapped from the file $FAKE_NVML_COUNTS. */
typedef struct { char name[56]; uint64_t total; uint64_t gpu[MAX_GPUS]; } Count;
typedef struct { Count calls[CALL_COUNT]; uint64_t fields[MAX_FIELDS]; uint64_t spent_ns; } Counts;

extern State state;
extern Counts *counts;
extern Handle handles[MAX_GPUS], mig_handles[MAX_GPUS][MAX_MIGS];

void script_refresh(void);
void script_line(char *line);
void signal_reset(void);
int signal_parse(char **words, int n, Signal *signal);
double signal_at(const Gpu *gpu, const Signal *signal, double t);
double signal_mean(const Gpu *gpu, const Signal *signal, double from, double to);
double now_s(void);
int64_t stamp_us(double t);
void spin_us(double us);
/* Counts, spins, and returns the scripted failure of `call` on `device` (NULL: no device). */
int begin(int call, nvmlDevice_t device);
/* As `begin`, for a reading that a MIG instance does not have. */
int begin_gpu(int call, nvmlDevice_t device);
/* How many GPUs the library tells of. */
int told(void);
/* Where the device (NULL: the system) is fuzzed: sometimes another answer than the one that was written. */
void mangle(nvmlDevice_t device, void *answer, size_t size);
Gpu *gpu_of(nvmlDevice_t device);
double reading(nvmlDevice_t device, int which);
#endif
