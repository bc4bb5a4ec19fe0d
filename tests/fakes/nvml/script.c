/* The script: one directive a line, `#` starts a comment.
 *
 *   listed init                        a GPU that comes is told of when the library is initialised anew
 *   fuzz 7 | gpu 1 fuzz 7              random failures and answers from this seed on; 0: none any more
 *   gpus 8 | driver 580.65 | nvml 13.580.65 | cuda 13000 | init driver_not_loaded
 *   clock 5.0 | clock run              freeze the seconds of the script, or let them run
 *   stamp -0.25                        driver timestamps are off by so many seconds
 *   latency 50 | latency nvmlDeviceGetFieldValues 200
 *   code no_permission nvmlDeviceGetHandleByIndex_v2     every GPU and system calls
 *   gpu 0 name NVIDIA H100 ... | uuid | bus | minor 3 | fans 2 | memory 8e10 | pcie 5 16 | nvlinks 18 | capability 9
 *   gpu * util sine 60 30 10           any name of SIGNALS, any shape of signal.c
 *   gpu 1 call not_supported nvmlDeviceGetUtilizationRates
 *   gpu 0 lost at 3 | lost calls 50 | back 9
 *   gpu 0 field 82 not_supported | 65 | rate 5 | type uint | wrap 4294967296 | reset 4 | latency 3000
 *   gpu 0 gpm 2 sine 50 40 10 | gpm off
 *   gpu 0 samples whole                its sample buffers come whole each time, empty places and all
 *   gpu 0 samples twice | samples 2 not_found            each sample twice; one buffer gives a code
 *   gpu 0 mig GI CI BYTES USED PROFILE [UUID] | gpu 0 mig GI gpm 2 25 | gpu 0 mig off
 *   gpu 0 process PID|self BYTES|na [GI CI] [FROM TO]
 *   gpu 0 xid 79 at 2.0
 */
#define _GNU_SOURCE
#include "fake.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

State state;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
Handle handles[MAX_GPUS], mig_handles[MAX_GPUS][MAX_MIGS];

static const char *CALL_NAMES[] = {
#define X(name) #name,
    CALLS(X)
#undef X
};
static const char *SIGNAL_NAMES[] = {
#define X(name) #name,
    SIGNALS(X)
#undef X
};

static int find(const char *word, const char **names, int n) {
    for (int i = 0; i < n; i++) if (!strcmp(word, names[i])) return i;
    return -1;
}

static int code_named(const char *word, int *code) {
    static const struct { const char *name; int code; } codes[] = {
        {"ok", 0}, {"uninitialized", 1}, {"invalid_argument", 2}, {"not_supported", 3}, {"no_permission", 4}, {"not_found", 6},
        {"driver_not_loaded", 9}, {"timeout", 10}, {"function_not_found", 13}, {"lost", 15}, {"reset_required", 16},
        {"operating_system", 17}, {"mismatch", 18}, {"memory", 20}, {"no_data", 21}, {"vgpu_ecc", 22}, {"version_mismatch", 25},
        {"deprecated", 26}, {"unknown", 999}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (!strcmp(word, codes[i].name)) { *code = codes[i].code; return 1; }
    return 0;
}

static void constant(Signal *signal, double value) { *signal = (Signal){.shape = CONST, .a = value}; }

static void field(Gpu *gpu, int id, int type, Signal signal) {
    gpu->fields[id] = (Field){.code = OK, .type = type, .reset_at = -1, .signal = signal};
}

static void default_fields(Gpu *gpu) {
    for (int i = 0; i < MAX_FIELDS; i++) gpu->fields[i] = (Field){.code = NOT_SUPPORTED, .reset_at = -1};
    const int zero[] = {3, 4, 94, 142, 143, 144, 145, 75, 76, 77, 78, 79, 80, 81, 269, 270, 271};
    for (size_t i = 0; i < sizeof zero / sizeof *zero; i++) field(gpu, zero[i], 3, (Signal){.shape = CONST});
    field(gpu, 82, 1, (Signal){.shape = CONST, .a = 71});
    field(gpu, 83, 3, (Signal){.shape = INTEGRAL, .of = S_power, .a = 1, .b = 5e9});
    field(gpu, 74, 3, (Signal){.shape = INTEGRAL, .of = S_throttled, .a = 1e9, .b = 1e12});
    field(gpu, 91, 1, (Signal){.shape = CONST, .a = gpu->nvlinks});
    field(gpu, 185, 1, (Signal){.shape = CONST, .a = 350000});
    gpu->fields[185].latency_us = 3300;
    field(gpu, 186, 1, (Signal){.shape = COPY, .of = S_power, .a = 1});
    field(gpu, 189, 1, (Signal){.shape = CONST, .a = 700000});
    field(gpu, 197, 3, (Signal){.shape = INTEGRAL, .of = S_pcie_tx, .a = 1, .b = 1e12});
    field(gpu, 198, 3, (Signal){.shape = INTEGRAL, .of = S_pcie_rx, .a = 1, .b = 1e12});
    field(gpu, 138, 3, (Signal){.shape = INTEGRAL, .of = S_nvlink_tx, .a = 1.0 / 1024});
    field(gpu, 139, 3, (Signal){.shape = INTEGRAL, .of = S_nvlink_rx, .a = 1.0 / 1024});
}

static void default_gpm(Gpu *gpu) {
    const struct { int id; double value; } known[] = {{1, 88}, {2, 74}, {3, 41}, {4, 12}, {5, 52}, {7, 50}, {10, 46},
        {11, 1}, {12, 18}, {13, 9}, {20, 900}, {21, 1800}, {60, 30000}, {61, 31000}};
    gpu->gpm_support = 1;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        gpu->gpm_known[known[i].id] = 1;
        constant(&gpu->gpm[known[i].id], known[i].value);
    }
}

static void default_gpu(Gpu *gpu, int i) {
    memset(gpu, 0, sizeof *gpu);
    snprintf(gpu->name, sizeof gpu->name, "NVIDIA H100 80GB HBM3");
    snprintf(gpu->uuid, sizeof gpu->uuid, "GPU-%02x%02xfa4e-5eed-4000-8000-%012x", 0xa0 ^ i, i, 0x5eed0000 + i);
    snprintf(gpu->bus, sizeof gpu->bus, "00000000:%02X:00.0", 0x07 + 3 * i);
    gpu->minor = i;
    gpu->major_capability = 9;
    gpu->pcie_generation = 5;
    gpu->pcie_width = 16;
    gpu->nvlinks = 18;
    gpu->memory_total = 80ull << 30;
    gpu->lost_at = gpu->back_at = -1;
    gpu->lost_after_calls = -1;
    const struct { int which; double value; } flat[] = {{S_temperature, 61}, {S_clock_sm, 1980}, {S_clock_memory, 2619},
        {S_fan, 40}, {S_power_limit, 700000}, {S_throttle, 0}, {S_margin, 26}, {S_memory_reserved, 600 << 20},
        {S_pcie_rx, 2e9}, {S_pcie_tx, 1e9}, {S_nvlink_rx, 40e9}, {S_nvlink_tx, 41e9}, {S_throttled, 0.05}};
    for (size_t j = 0; j < sizeof flat / sizeof *flat; j++) constant(&gpu->signals[flat[j].which], flat[j].value);
    gpu->signals[S_util] = (Signal){.shape = SINE, .a = 70, .b = 25, .c = 20, .d = 0.7 * i};
    gpu->signals[S_util_memory] = (Signal){.shape = SINE, .a = 45, .b = 15, .c = 20, .d = 0.7 * i};
    gpu->signals[S_power] = (Signal){.shape = SINE, .a = 450e3, .b = 150e3, .c = 20, .d = 0.7 * i};
    gpu->signals[S_memory_used] = (Signal){.shape = SINE, .a = 40e9, .b = 8e9, .c = 60, .d = 0.7 * i};
    default_fields(gpu);
    default_gpm(gpu);
}

static void defaults(void) {
    signal_reset();
    state.count = 2;
    state.listed_at_init = 0;
    state.fuzz = 0;
    state.init_code = 0;
    state.cuda = 13000;
    snprintf(state.driver, sizeof state.driver, "580.65.06");
    snprintf(state.nvml, sizeof state.nvml, "13.580.65.06");
    memset(state.codes, 0, sizeof state.codes);
    for (int i = 0; i < CALL_COUNT; i++) state.latency_us[i] = 50;
    state.latency_us[C_nvmlDeviceGetPcieThroughput] = 20000;
    state.latency_us[C_nvmlDeviceGetComputeRunningProcesses_v3] = 500;
    state.latency_us[C_nvmlDeviceGetGraphicsRunningProcesses_v3] = 500;
    state.latency_us[C_nvmlEventSetWait_v2] = 1;
    state.frozen = -1;
    state.stamp_offset_s = 0;
    state.process_count = state.xid_count = 0;
    for (int i = 0; i < MAX_GPUS; i++) default_gpu(&state.gpus[i], i);
}

static void gpu_field(Gpu *gpu, char **w, int n) {
    int code, id = atoi(w[0]);
    if (id < 0 || id >= MAX_FIELDS || n < 2) return;
    Field *f = &gpu->fields[id];
    if (code_named(w[1], &code)) f->code = code;
    else if (!strcmp(w[1], "type") && n > 2) {
        const char *types[] = {"double", "uint", "ulong", "ull", "sll", "int", "ushort"};
        f->type = find(w[2], types, 7);
    }
    else if (!strcmp(w[1], "wrap") && n > 2) f->wrap = atof(w[2]);
    else if (!strcmp(w[1], "reset") && n > 2) f->reset_at = atof(w[2]);
    else if (!strcmp(w[1], "latency") && n > 2) f->latency_us = atoi(w[2]);
    else if (!signal_parse(w + 1, n - 1, &f->signal)) { f->code = OK; if (!f->type) f->type = 3; }
}

static void gpu_mig(Gpu *gpu, int index, char **w, int n) {
    if (!strcmp(w[0], "off")) { gpu->mig_enabled = gpu->mig_count = 0; return; }
    for (int i = 0; n > 3 && !strcmp(w[1], "gpm") && i < gpu->mig_count; i++)
        if (gpu->migs[i].gi == atoi(w[0])) for (int k = 0; k < 8; k++)
            if (!gpu->migs[i].gpm_id[k]) { gpu->migs[i].gpm_id[k] = atoi(w[2]); signal_parse(w + 3, n - 3, &gpu->migs[i].gpm[k]); return; }
    if (n < 5 || gpu->mig_count >= MAX_MIGS) return;
    gpu->mig_enabled = 1;
    Mig *mig = &gpu->migs[gpu->mig_count++];
    memset(mig, 0, sizeof *mig);
    mig->gi = atoi(w[0]);
    mig->ci = atoi(w[1]);
    mig->total = (uint64_t)atof(w[2]);
    constant(&mig->used, atof(w[3]));
    snprintf(mig->profile, sizeof mig->profile, "%s", w[4]);
    if (n > 5) snprintf(mig->uuid, sizeof mig->uuid, "%s", w[5]);
    else snprintf(mig->uuid, sizeof mig->uuid, "MIG-%08x-0000-5000-8000-%08x%04x", 0xc0de0000 + index * 16 + mig->gi, index, mig->ci);
}

static void gpu_process(int index, char **w, int n) {
    if (n < 2 || state.process_count >= MAX_PROCESSES) return;
    Process *p = &state.processes[state.process_count];
    p->pid = strcmp(w[0], "self") ? (unsigned)atoi(w[0]) : (unsigned)getpid();
    p->bytes = strcmp(w[1], "na") ? (uint64_t)atof(w[1]) : UINT64_MAX;
    p->gi = n > 3 ? atoi(w[2]) : -1;
    p->ci = n > 3 ? atoi(w[3]) : -1;
    p->from = n > 5 ? atof(w[4]) : 0;
    p->to = n > 5 ? atof(w[5]) : 1e18;
    state.process_gpu[state.process_count++] = index;
}

static void gpu_text(char *into, size_t size, char **w, int n) {
    into[0] = 0;
    for (int i = 0; i < n; i++) {
        if (i) strncat(into, " ", size - strlen(into) - 1);
        strncat(into, w[i], size - strlen(into) - 1);
    }
}

static void gpu_lost(Gpu *gpu, char **w, int n) {
    if (n > 1 && !strcmp(w[0], "at")) gpu->lost_at = atof(w[1]);
    else if (n > 1 && !strcmp(w[0], "calls")) gpu->lost_after_calls = atol(w[1]);
    else gpu->lost_at = 0;
}

static void gpu_line(int index, char **w, int n) {
    Gpu *gpu = &state.gpus[index];
    int which = find(w[0], SIGNAL_NAMES, SIGNAL_COUNT), call, code;
    if (which >= 0) signal_parse(w + 1, n - 1, &gpu->signals[which]);
    else if (!strcmp(w[0], "back")) gpu->back_at = n > 1 ? atof(w[1]) : 0;
    else if (!strcmp(w[0], "lost")) gpu_lost(gpu, w + 1, n - 1);
    else if (n < 2) return;
    else if (!strcmp(w[0], "name")) gpu_text(gpu->name, sizeof gpu->name, w + 1, n - 1);
    else if (!strcmp(w[0], "uuid")) snprintf(gpu->uuid, sizeof gpu->uuid, "%s", w[1]);
    else if (!strcmp(w[0], "bus")) snprintf(gpu->bus, sizeof gpu->bus, "%s", w[1]);
    else if (!strcmp(w[0], "fuzz")) gpu->fuzz = strtoull(w[1], NULL, 10) * 0x9e3779b97f4a7c15u;
    else if (!strcmp(w[0], "minor")) gpu->minor = atoi(w[1]);
    else if (!strcmp(w[0], "fans")) gpu->fans = atoi(w[1]);
    else if (!strcmp(w[0], "memory")) gpu->memory_total = (uint64_t)atof(w[1]);
    else if (!strcmp(w[0], "capability")) gpu->major_capability = atoi(w[1]);
    else if (!strcmp(w[0], "pcie") && n > 2) { gpu->pcie_generation = atoi(w[1]); gpu->pcie_width = atoi(w[2]); }
    else if (!strcmp(w[0], "nvlinks")) { gpu->nvlinks = atoi(w[1]); constant(&gpu->fields[91].signal, gpu->nvlinks); }
    else if (!strcmp(w[0], "field")) gpu_field(gpu, w + 1, n - 1);
    else if (!strcmp(w[0], "samples") && !strcmp(w[1], "whole")) gpu->whole_samples = 1;
    else if (!strcmp(w[0], "samples") && !strcmp(w[1], "twice")) gpu->twice_samples = 1;
    else if (!strcmp(w[0], "samples") && n > 2 && code_named(w[2], &code)) gpu->sample_codes[atoi(w[1]) % 7] = code;
    else if (!strcmp(w[0], "gpm") && !strcmp(w[1], "off")) gpu->gpm_support = 0;
    else if (!strcmp(w[0], "gpm") && n > 2) { int id = atoi(w[1]) % MAX_GPM; gpu->gpm_known[id] = !signal_parse(w + 2, n - 2, &gpu->gpm[id]); }
    else if (!strcmp(w[0], "mig")) gpu_mig(gpu, index, w + 1, n - 1);
    else if (!strcmp(w[0], "process")) gpu_process(index, w + 1, n - 1);
    else if (!strcmp(w[0], "xid") && state.xid_count < MAX_XIDS)
        state.xids[state.xid_count++] = (Xid){index, atoi(w[1]), n > 3 ? atof(w[3]) : 0, 0};
    else if (!strcmp(w[0], "call") && n > 2 && code_named(w[1], &code))
        for (int i = 2; i < n; i++) if ((call = find(w[i], CALL_NAMES, CALL_COUNT)) >= 0) gpu->codes[call] = code;
}

static void latency(char **w, int n) {
    int call = n > 1 ? find(w[0], CALL_NAMES, CALL_COUNT) : -1;
    if (call >= 0) state.latency_us[call] = atoi(w[1]);
    else if (n == 1) for (int i = 0; i < CALL_COUNT; i++) {
        /* 0 means no driver time at all; otherwise the dear calls stay dear. */
        if (atoi(w[0]) == 0 || state.latency_us[i] == 50) state.latency_us[i] = atoi(w[0]);
    }
}

void script_line(char *line) {
    char *w[64], *rest, *hash = strchr(line, '#');
    int n = 0, code, call;
    if (hash) *hash = 0;
    for (char *p = strtok_r(line, " \t\r\n", &rest); p && n < 64; p = strtok_r(NULL, " \t\r\n", &rest)) w[n++] = p;
    if (n < 2) return;
    if (!strcmp(w[0], "gpus")) state.count = atoi(w[1]) > MAX_GPUS ? MAX_GPUS : atoi(w[1]);
    else if (!strcmp(w[0], "listed")) state.listed_at_init = !strcmp(w[1], "init");
    else if (!strcmp(w[0], "fuzz")) state.fuzz = strtoull(w[1], NULL, 10) * 0x9e3779b97f4a7c15u;
    else if (!strcmp(w[0], "driver")) snprintf(state.driver, sizeof state.driver, "%s", w[1]);
    else if (!strcmp(w[0], "nvml")) snprintf(state.nvml, sizeof state.nvml, "%s", w[1]);
    else if (!strcmp(w[0], "cuda")) state.cuda = atoi(w[1]);
    else if (!strcmp(w[0], "init")) code_named(w[1], &state.init_code);
    else if (!strcmp(w[0], "clock")) state.frozen = strcmp(w[1], "run") ? atof(w[1]) : -1;
    else if (!strcmp(w[0], "stamp")) state.stamp_offset_s = atof(w[1]);
    else if (!strcmp(w[0], "latency")) latency(w + 1, n - 1);
    else if (!strcmp(w[0], "code") && n > 2 && code_named(w[1], &code)) {
        if ((call = find(w[2], CALL_NAMES, CALL_COUNT)) < 0) return;
        state.codes[call] = code;
        for (int i = 0; i < MAX_GPUS; i++) state.gpus[i].codes[call] = code;
    }
    else if (!strcmp(w[0], "gpu") && n > 2) {
        int first = !strcmp(w[1], "*") ? 0 : atoi(w[1]), last = !strcmp(w[1], "*") ? MAX_GPUS - 1 : first;
        char *dash = strchr(w[1], '-');
        if (dash) last = atoi(dash + 1);
        for (int i = first; i <= last && i < MAX_GPUS; i++) gpu_line(i, w + 2, n - 2);
    }
}

static void read_script(const char *path) {
    char line[4096];
    FILE *file = path ? fopen(path, "r") : NULL;
    defaults();
    if (!file) return;
    while (fgets(line, sizeof line, file)) script_line(line);
    fclose(file);
}

static void refresh(void) {
    static struct timespec seen;
    static ino_t inode;
    static double looked = -1;
    struct timespec now;
    struct stat info;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    double t = (double)now.tv_sec + now.tv_nsec * 1e-9;
    if (looked >= 0 && t - looked < 0.05) return;
    const char *path = getenv("FAKE_NVML_SCRIPT");
    int first = looked < 0;
    looked = t;
    int found = path && stat(path, &info) == 0;
    if (found && (info.st_mtim.tv_sec != seen.tv_sec || info.st_mtim.tv_nsec != seen.tv_nsec || info.st_ino != inode)) {
        seen = info.st_mtim;
        inode = info.st_ino;
        read_script(path);
    } else if (first) read_script(NULL);
}

/* Reads the script once, and again when the file has changed (looked at every 50 ms). */
void script_refresh(void) {
    pthread_mutex_lock(&lock);
    refresh();
    pthread_mutex_unlock(&lock);
}

/* For the test: apply one line of script now. */
void fake_nvml_line(const char *line) {
    char copy[4096];
    strncpy(copy, line, sizeof copy - 1);
    copy[sizeof copy - 1] = 0;
    script_refresh();
    pthread_mutex_lock(&lock);
    script_line(copy);
    pthread_mutex_unlock(&lock);
}
