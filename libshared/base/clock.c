/* clock.c - the three clocks; see clock.h. */
#include "base/clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t (*hook)(int clock);

static int64_t now(clockid_t clock)
{
    if (hook)
        return hook(clock);
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * S_NS + t.tv_nsec;
}

int64_t clock_boot_ns(void)
{
    return now(CLOCK_BOOTTIME);
}

int64_t clock_boot_ms(void)
{
    return clock_boot_ns() / MS_NS;
}

int64_t clock_wall_ns(void)
{
    return now(CLOCK_REALTIME);
}

static char boot_id[37];

static void read_boot_id(void)
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (read(fd, boot_id, 36) != 36)
        boot_id[0] = 0;
    close(fd);
}

const char *clock_boot_id(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_boot_id);
    return boot_id;
}

void clock_show(char to[32], int64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / S_NS);
    int64_t rest_ns = wall_ns % S_NS;
    if (rest_ns < 0) { /* before 1970 */
        seconds--;
        rest_ns += S_NS;
    }
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t n = strftime(to, 32, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(to + n, 32 - n, ".%03dZ", (int)(rest_ns / MS_NS));
}

void clock_hook(int64_t (*ns)(int clock))
{
    hook = ns;
}
