#define _GNU_SOURCE
#include "fake.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static double started_mono, started_wall;
static Counts private_counts;
Counts *counts = &private_counts;
static int initialised;

static const char *NAMES[] = {
#define X(name) #name,
    CALLS(X)
#undef X
};

static double clock_s(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (double)now.tv_sec + now.tv_nsec * 1e-9;
}

/* The compiler calls these around every function here: the outermost is what the caller called. */
#define UNSEEN __attribute__((no_instrument_function))
/* Else the empty ones of the C library come first. */
#define HIDDEN __attribute__((visibility("hidden")))
static __thread int depth;
static __thread uint64_t entered_ns;

UNSEEN static uint64_t clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

UNSEEN HIDDEN void __cyg_profile_func_enter(void *function, void *site) {
    (void)function, (void)site;
    if (depth++ == 0) entered_ns = clock_ns();
}

UNSEEN HIDDEN void __cyg_profile_func_exit(void *function, void *site) {
    (void)function, (void)site;
    if (--depth == 0) __atomic_fetch_add(&counts->spent_ns, clock_ns() - entered_ns, __ATOMIC_RELAXED);
}

/* Seconds of the script: since the library was loaded, or where `clock` has frozen them. */
double now_s(void) { return state.frozen >= 0 ? state.frozen : clock_s(CLOCK_MONOTONIC) - started_mono; }

int64_t stamp_us(double t) {
    return (int64_t)((started_wall + t + state.stamp_offset_s) * 1e6);
}

void spin_us(double us) {
    if (us <= 0) return;
    double end = clock_s(CLOCK_MONOTONIC) + us * 1e-6;
    while (clock_s(CLOCK_MONOTONIC) < end) { }
}

static void map_counts(void) {
    const char *path = getenv("FAKE_NVML_COUNTS");
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0) return;
    if (ftruncate(fd, sizeof(Counts)) == 0) {
        void *block = mmap(NULL, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (block != MAP_FAILED) counts = block;
    }
    close(fd);
}

__attribute__((constructor)) static void load(void) {
    started_mono = clock_s(CLOCK_MONOTONIC);
    started_wall = clock_s(CLOCK_REALTIME);
    map_counts();
    for (int i = 0; i < CALL_COUNT; i++) strncpy(counts->calls[i].name, NAMES[i], sizeof counts->calls[i].name - 1);
    for (int i = 0; i < MAX_GPUS; i++) {
        handles[i] = (Handle){i, -1};
        for (int j = 0; j < MAX_MIGS; j++) mig_handles[i][j] = (Handle){i, j};
    }
    state.frozen = -1;
}

Gpu *gpu_of(nvmlDevice_t device) { return &state.gpus[device->gpu]; }

double reading(nvmlDevice_t device, int which) {
    Gpu *gpu = gpu_of(device);
    return signal_at(gpu, &gpu->signals[which], now_s());
}

UNSEEN static uint64_t *fuzz_of(nvmlDevice_t device) { return device ? &gpu_of(device)->fuzz : &state.fuzz; }

/* xorshift64: the same seed gives the same answers. */
UNSEEN static uint64_t toss(uint64_t *seed) {
    *seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
    return *seed;
}

UNSEEN static int fuzzed(nvmlDevice_t device, int call, int code) {
    static const int codes[] = {2, 3, 4, 6, 7, 10, 13, 17, 20, 21, 22, 25, 26, 999, -1, 4711};
    uint64_t *seed = fuzz_of(device);
    if (code || !*seed || call == C_nvmlShutdown || toss(seed) % 4) return code;
    return codes[toss(seed) % (sizeof codes / sizeof *codes)];
}

UNSEEN void mangle(nvmlDevice_t device, void *answer, size_t size) {
    uint64_t *seed = fuzz_of(device);
    if (!*seed || toss(seed) % 3 == 0) return;
    unsigned kind = toss(seed) % 4;
    unsigned char *bytes = answer;
    for (size_t i = 0; i < size; i++)
        bytes[i] = kind == 0 ? 0 : kind == 1 ? 0xff : kind == 2 || !(toss(seed) % 16) ? (unsigned char)toss(seed) : bytes[i];
}

UNSEEN int told(void) { return state.listed_at_init ? state.listed : state.count; }

static int is_lost(const Gpu *gpu, int index) {
    double t = now_s();
    if (gpu->back_at >= 0 && t >= gpu->back_at) return 0;
    if (gpu->lost_at >= 0 && t >= gpu->lost_at) return 1;
    if (gpu->lost_after_calls < 0) return 0;
    uint64_t sum = 0;
    for (int i = 0; i < CALL_COUNT; i++) sum += counts->calls[i].gpu[index];
    return sum > (uint64_t)gpu->lost_after_calls;
}

static int valid(nvmlDevice_t device) {
    if (device >= handles && device < handles + MAX_GPUS) return device->gpu < told();
    return device >= mig_handles[0] && device < mig_handles[0] + MAX_GPUS * MAX_MIGS
        && device->mig < state.gpus[device->gpu].mig_count;
}

int begin(int call, nvmlDevice_t device) {
    script_refresh();
    __atomic_fetch_add(&counts->calls[call].total, 1, __ATOMIC_RELAXED);
    spin_us(state.latency_us[call]);
    if (call != C_nvmlInit_v2 && call != C_nvmlInitWithFlags && call != C_nvmlSystemGetNVMLVersion && !initialised)
        return UNINITIALIZED;
    if (!device) return fuzzed(NULL, call, state.codes[call]);
    if (!valid(device)) return INVALID_ARGUMENT;
    __atomic_fetch_add(&counts->calls[call].gpu[device->gpu], 1, __ATOMIC_RELAXED);
    Gpu *gpu = gpu_of(device);
    if (is_lost(gpu, device->gpu)) return GPU_IS_LOST;
    return fuzzed(device, call, gpu->codes[call]);
}

int begin_gpu(int call, nvmlDevice_t device) {
    int code = begin(call, device);
    return code ? code : device->mig >= 0 ? NOT_SUPPORTED : OK;
}

static int start(int call) {
    int code = begin(call, NULL);
    if (code || (code = state.init_code)) return code;
    if (!initialised++) state.listed = state.count;
    return OK;
}

int nvmlInit_v2(void) { return start(C_nvmlInit_v2); }
int nvmlInitWithFlags(unsigned flags) { (void)flags; return start(C_nvmlInitWithFlags); }

int nvmlShutdown(void) {
    int code = begin(C_nvmlShutdown, NULL);
    if (!code) initialised--;
    return code;
}

const char *nvmlErrorString(int code) {
    static const char *texts[] = {"Success", "Uninitialized", "Invalid Argument", "Not Supported", "Insufficient Permissions",
        "Already Initialized", "Not Found", "Insufficient Size", "Insufficient External Power", "Driver Not Loaded", "Timeout",
        "Interrupt Request Issue", "NVML Shared Library Not Found", "Function Not Found", "Corrupted infoROM", "GPU is lost",
        "GPU requires reset", "The operating system has blocked the request", "RM has detected an NVML/RM version mismatch.",
        "In use by another client", "Insufficient Memory", "No data"};
    if (code >= 0 && code < (int)(sizeof texts / sizeof *texts)) return texts[code];
    return code == VERSION_MISMATCH ? "Argument version mismatch" : "Unknown Error";
}
