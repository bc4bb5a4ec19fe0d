/* Events that the driver pushes, and the processes on a device. */
#define _GNU_SOURCE
#include "fake.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { nvmlDevice_t device; unsigned long long type, data; unsigned gi, ci; } Event;
typedef struct { uint64_t gpus; } EventSet;
typedef struct { unsigned pid; unsigned long long bytes; unsigned gi, ci; } ProcessInfo;
typedef struct { unsigned pid; unsigned long long bytes; } OldProcessInfo;
typedef struct { unsigned pid; unsigned long long stamp; unsigned sm, memory, encoder, decoder; } ProcessSample;

enum { XID = 8 };

int nvmlEventSetCreate(EventSet **set) {
    int code = begin(C_nvmlEventSetCreate, NULL);
    if (!code) *set = calloc(1, sizeof **set);
    return code;
}

int nvmlEventSetFree(EventSet *set) {
    int code = begin(C_nvmlEventSetFree, NULL);
    if (!code) free(set);
    return code;
}

int nvmlDeviceGetSupportedEventTypes(nvmlDevice_t d, unsigned long long *types) {
    int code = begin_gpu(C_nvmlDeviceGetSupportedEventTypes, d);
    if (!code) *types = 0x1f;
    return code;
}

int nvmlDeviceRegisterEvents(nvmlDevice_t d, unsigned long long types, EventSet *set) {
    int code = begin_gpu(C_nvmlDeviceRegisterEvents, d);
    if (!code && types & XID) set->gpus |= 1ull << d->gpu;
    return code;
}

static int deliver(const EventSet *set, Event *event) {
    for (int i = 0; i < state.xid_count; i++) {
        Xid *xid = &state.xids[i];
        if (xid->delivered || now_s() < xid->at || !(set->gpus >> xid->gpu & 1)) continue;
        xid->delivered = 1;
        *event = (Event){&handles[xid->gpu], XID, xid->code, UINT32_MAX, UINT32_MAX};
        return 1;
    }
    return 0;
}

int nvmlEventSetWait_v2(EventSet *set, Event *event, unsigned timeout_ms) {
    int code = begin(C_nvmlEventSetWait_v2, NULL);
    if (code) return code;
    const struct timespec nap = {0, 1000000};
    for (unsigned waited = 0; ; waited++) {
        script_refresh();
        if (deliver(set, event)) return OK;
        if (waited >= timeout_ms) return TIMEOUT;
        nanosleep(&nap, NULL);
    }
}

static int listed(int i, nvmlDevice_t d) {
    const Process *p = &state.processes[i];
    if (state.process_gpu[i] != d->gpu || now_s() < p->from || now_s() >= p->to) return 0;
    return d->mig < 0 || p->gi == gpu_of(d)->migs[d->mig].gi;
}

static int list(int call, nvmlDevice_t d, unsigned *n, ProcessInfo *into) {
    int code = begin(call, d);
    if (code) return code;
    unsigned room = *n, found = 0;
    for (int i = 0; i < state.process_count; i++) {
        if (!listed(i, d)) continue;
        const Process *p = &state.processes[i];
        if (found < room && into) into[found] = (ProcessInfo){p->pid, p->bytes, (unsigned)p->gi, (unsigned)p->ci};
        found++;
    }
    *n = found;
    if (found > room) return INSUFFICIENT_SIZE;
    mangle(d, into, found * sizeof *into);
    mangle(d, n, sizeof *n);
    return OK;
}

int nvmlDeviceGetComputeRunningProcesses_v2(nvmlDevice_t d, unsigned *n, ProcessInfo *into) {
    return list(C_nvmlDeviceGetComputeRunningProcesses_v2, d, n, into);
}

/* The first version says less of each process. */
int nvmlDeviceGetComputeRunningProcesses(nvmlDevice_t d, unsigned *n, OldProcessInfo *into) {
    ProcessInfo found[MAX_PROCESSES];
    unsigned room = *n < MAX_PROCESSES ? *n : MAX_PROCESSES;
    *n = room;
    int code = list(C_nvmlDeviceGetComputeRunningProcesses, d, n, found);
    for (unsigned i = 0; !code && i < *n && i < room; i++) into[i] = (OldProcessInfo){found[i].pid, found[i].bytes};
    return code;
}

int nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t d, unsigned *n, ProcessInfo *into) {
    return list(C_nvmlDeviceGetComputeRunningProcesses_v3, d, n, into);
}

/* No process draws. */
int nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t d, unsigned *n, ProcessInfo *into) {
    (void)into;
    int code = begin(C_nvmlDeviceGetGraphicsRunningProcesses_v3, d);
    if (!code) *n = 0;
    return code;
}

int nvmlDeviceGetProcessUtilization(nvmlDevice_t d, ProcessSample *into, unsigned *n, unsigned long long since) {
    int code = begin_gpu(C_nvmlDeviceGetProcessUtilization, d);
    if (!code && gpu_of(d)->mig_enabled) code = NOT_SUPPORTED;
    if (code) return code;
    unsigned found = 0, room = *n;
    unsigned long long stamp = (unsigned long long)stamp_us(now_s());
    for (int i = 0; i < state.process_count && stamp > since; i++) {
        if (!listed(i, d)) continue;
        if (into && found < room)
            into[found] = (ProcessSample){state.processes[i].pid, stamp, (unsigned)reading(d, S_util), (unsigned)reading(d, S_util_memory), 0, 0};
        found++;
    }
    *n = found;
    return !found ? NOT_FOUND : found > room ? INSUFFICIENT_SIZE : OK;
}
