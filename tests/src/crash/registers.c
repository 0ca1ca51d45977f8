/* For user-mode Linux, whose place for a process's extended registers has a fixed length: on
   processors that have more of them (AMX) the system refuses to set only a part. What is beyond that
   length stays as it is. Loaded before the C library (LD_PRELOAD). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

/* More than any processor has. Not on the stack: that of the machine's kernel is small. */
static char all[65536];
static long (*real)(enum __ptrace_request, ...);

__attribute__((constructor)) static void find(void) { real = dlsym(RTLD_NEXT, "ptrace"); }

static long get_all(pid_t pid, void *set, struct iovec *whole) {
    whole->iov_base = all;
    whole->iov_len = sizeof all;
    return real(PTRACE_GETREGSET, pid, set, whole);
}

long ptrace(enum __ptrace_request request, ...) {
    va_list rest;
    va_start(rest, request);
    pid_t pid = va_arg(rest, pid_t);
    void *set = va_arg(rest, void *), *data = va_arg(rest, void *);
    va_end(rest);
    int is_get = request == PTRACE_GETREGSET, is_set = request == PTRACE_SETREGSET;
    if ((!is_get && !is_set) || (long)set != NT_X86_XSTATE) {
        return real(request, pid, set, data);
    }
    struct iovec *part = data, whole;
    long result = get_all(pid, set, &whole);
    if (result < 0) {
        return result;
    }
    if (part->iov_len > whole.iov_len) {
        part->iov_len = whole.iov_len;
    }
    if (is_get) {
        memcpy(part->iov_base, all, part->iov_len);
        return result;
    }
    memcpy(all, part->iov_base, part->iov_len);
    return real(request, pid, set, &whole);
}
