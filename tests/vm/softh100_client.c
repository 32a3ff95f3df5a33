// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A process for /dev/softh100 without a GPU behind it, for tests of the module alone.
 *
 * usage: softh100_client serve GPU       attaches and does what is written to the GPU's inject file
 *        softh100_client refuse          every request that must be refused; needs 2 GPUs, unserved
 *        softh100_client attach GPU      0, or the errno as exit status; lets go at once
 *        softh100_client bars BUS_ID     no way to map a BAR may work (bus id as in sysfs)
 *
 * Lines that serve understands, numbers as C writes them; the answer is 0 or the errno:
 *
 *   ok | fail | hang | die | quit | off-bus | on-bus
 *   raise VECTOR                       makes a vector pending
 *   read ADDRESS SIZE BYTE             reads system memory, all of which must be BYTE (else EIO)
 *   write ADDRESS SIZE BYTE            fills it
 *   video ADDRESS VALUE                a 32-bit word of video memory must be VALUE (else EIO)
 *   poke ADDRESS VALUE                 sets it
 *   register OFFSET VALUE              sets a register, as software on the chip does
 *   resets COUNT                       so many resets must have been told (else EIO)
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "h100/function/chip.h"
#include "host/linux/softh100/softh100.h"

struct soft_profile {
	const char *name;
	struct h100_function_identity identity;
};

static const struct soft_profile profiles[] = {
#include "softh100_profiles.h"
};

static int failures;

static void check(bool ok, const char *what, int line)
{
	if (!ok)
		failures++;
	printf("%s line %d: %s (%s)\n", ok ? "ok" : "NOT OK", line, what, strerror(errno));
}
#define CHECK(condition) check(condition, #condition, __LINE__)

static int open_device(void)
{
	int fd = open(SOFTH100_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		perror(SOFTH100_DEVICE);
		exit(125);
	}
	return fd;
}

static void identify(int fd, uint32_t index, struct softh100_attach *a)
{
	struct softh100_machine machine;
	const struct h100_function_identity *id = NULL;

	if (ioctl(fd, SOFTH100_MACHINE, &machine) != 0)
		exit(125);
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (strcmp(profiles[i].name, machine.profile) == 0)
			id = &profiles[i].identity;
	if (!id)
		exit(125);
	*a = (struct softh100_attach){
		.version = SOFTH100_VERSION,
		.index = index,
		.vendor_id = id->vendor_id,
		.device_id = id->device_id,
		.subsystem_vendor_id = id->subsystem_vendor_id,
		.subsystem_id = id->subsystem_id,
		.revision = id->revision,
		.link_generation = id->link_generation,
		.link_width = id->link_width,
		.cc = machine.cc,
		.bar_bytes = { id->bar_bytes[0], id->bar_bytes[1], id->bar_bytes[2] },
		.video_bytes = id->video_bytes,
	};
}

/* 0 or the errno. */
static int attach(int fd, uint32_t index)
{
	struct softh100_attach a;

	identify(fd, index, &a);
	return ioctl(fd, SOFTH100_ATTACH, &a) == 0 ? 0 : errno;
}

/* -- serve ------------------------------------------------------------------------------------- */

static uint32_t *video;
static uint64_t video_bytes;
static uint32_t resets;

static int set_word(int fd, unsigned long request, uint32_t value)
{
	return ioctl(fd, request, &value) == 0 ? 0 : errno;
}

static int move(int fd, bool write, uint64_t address, uint64_t size, uint64_t byte)
{
	unsigned char *buffer = malloc(size + 1);
	int rc = 0;

	if (!buffer)
		return ENOMEM;
	memset(buffer, write ? (int)byte : ~(int)byte, size);
	if ((write ? pwrite(fd, buffer, size, (off_t)address)
		   : pread(fd, buffer, size, (off_t)address)) != (ssize_t)size)
		rc = errno;
	for (uint64_t i = 0; !write && !rc && i < size; i++)
		if (buffer[i] != (unsigned char)byte)
			rc = EIO;
	free(buffer);
	return rc;
}

static int execute(int fd, const char *line)
{
	unsigned long long n[3] = { 0, 0, 0 };
	char word[32] = "";

	if (sscanf(line, "%31s %lli %lli %lli", word, (long long *)&n[0], (long long *)&n[1],
		   (long long *)&n[2]) < 1)
		return EINVAL;
	if (strcmp(word, "ok") == 0)
		return 0;
	if (strcmp(word, "off-bus") == 0)
		return set_word(fd, SOFTH100_PRESENT, 0);
	if (strcmp(word, "on-bus") == 0)
		return set_word(fd, SOFTH100_PRESENT, 1);
	if (strcmp(word, "raise") == 0)
		return set_word(fd, SOFTH100_RAISE, (uint32_t)n[0]);
	if (strcmp(word, "read") == 0 || strcmp(word, "write") == 0)
		return move(fd, word[0] == 'w', n[0], n[1], n[2]);
	if (strcmp(word, "resets") == 0)
		return resets == n[0] ? 0 : EIO;
	if (strcmp(word, "register") == 0) {
		struct softh100_register r = { .offset = (uint32_t)n[0], .value = (uint32_t)n[1] };

		return ioctl(fd, SOFTH100_REGISTER_SET, &r) == 0 ? 0 : errno;
	}
	if (n[0] + 4 > video_bytes)
		return EINVAL;
	if (strcmp(word, "video") == 0)
		return __atomic_load_n(&video[n[0] / 4], __ATOMIC_ACQUIRE) == n[1] ? 0 : EIO;
	if (strcmp(word, "poke") == 0) {
		__atomic_store_n(&video[n[0] / 4], (uint32_t)n[1], __ATOMIC_RELEASE);
		return 0;
	}
	return EINVAL;
}

static bool fails(int rc, int with)
{
	return rc < 0 && errno == with;
}

/* Once the GPU is out of its slot there is nothing but waiting. */
static void refuse_removed(int fd)
{
	uint32_t word = 0;
	char byte = 0;

	CHECK(fails(ioctl(fd, SOFTH100_RAISE, &word), ENODEV));
	CHECK(fails((int)pread(fd, &byte, 1, 0), ENODEV));
	CHECK(fails((int)pwrite(fd, &byte, 1, 0), ENODEV));
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == ENODEV);
}

static int serve(uint32_t index)
{
	int fd = open_device(), rc = attach(fd, index);
	struct softh100_command command;
	struct softh100_wait wait;
	struct softh100_attach a;

	if (rc) {
		printf("attach: %s\n", strerror(rc));
		return rc;
	}
	identify(fd, index, &a);
	video_bytes = a.video_bytes;
	video = mmap(NULL, video_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (video == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	for (;;) {
		wait = (struct softh100_wait){ .timeout_ns = ~0ull };
		if (ioctl(fd, SOFTH100_WAIT, &wait) != 0) {
			if (errno == EINTR)
				continue;
			return errno;
		}
		if (wait.work & SOFTH100_WORK_REMOVED) {
			refuse_removed(fd);
			return failures != 0;
		}
		if (wait.work & H100_WORK_RESET)
			resets++;
		if (!(wait.work & SOFTH100_WORK_COMMAND))
			continue;
		if (ioctl(fd, SOFTH100_COMMAND, &command) != 0)
			continue;
		if (strcmp(command.text, "hang") == 0)
			continue;
		if (strcmp(command.text, "die") == 0)
			raise(SIGKILL);
		set_word(fd, SOFTH100_ANSWER, (uint32_t)execute(fd, command.text));
		if (strcmp(command.text, "quit") == 0)
			return 0;
	}
}

/* -- refuse ------------------------------------------------------------------------------------ */

static void refuse_before_attach(int fd)
{
	uint32_t word = 0;
	char byte = 0;

	CHECK(fails(ioctl(fd, SOFTH100_MACHINE, NULL), EFAULT));
	CHECK(fails(ioctl(fd, SOFTH100_ATTACH, NULL), EFAULT));
	CHECK(fails(ioctl(fd, SOFTH100_WAIT, NULL), ENOTCONN));
	CHECK(fails(ioctl(fd, SOFTH100_RAISE, &word), ENOTCONN));
	CHECK(fails(ioctl(fd, _IO('H', 0x7f), &word), ENOTCONN));
	CHECK(fails((int)pread(fd, &byte, 1, 0), ENOTCONN));
	CHECK(fails((int)pwrite(fd, &byte, 1, 0), ENOTCONN));
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == ENOTCONN);
}

static void refuse_attach(int fd)
{
	struct softh100_attach good, bad;

	identify(fd, 0, &good);
#define REFUSED(change, with)                                                    \
	do {                                                                     \
		bad = good;                                                      \
		bad.change;                                                      \
		CHECK(fails(ioctl(fd, SOFTH100_ATTACH, &bad), with) && #change); \
	} while (0)
	REFUSED(version = 0, EPROTO);
	REFUSED(version = SOFTH100_VERSION + 1, EPROTO);
	REFUSED(index = 16, ENODEV);
	REFUSED(index = ~0u, ENODEV);
	REFUSED(vendor_id++, EINVAL);
	REFUSED(device_id++, EINVAL);
	REFUSED(subsystem_vendor_id++, EINVAL);
	REFUSED(subsystem_id++, EINVAL);
	REFUSED(revision++, EINVAL);
	REFUSED(link_generation++, EINVAL);
	REFUSED(link_width++, EINVAL);
	REFUSED(cc++, EINVAL);
	REFUSED(bar_bytes[0] *= 2, EINVAL);
	REFUSED(bar_bytes[1] *= 2, EINVAL);
	REFUSED(bar_bytes[2] *= 2, EINVAL);
	REFUSED(video_bytes -= 4096, EINVAL);
#undef REFUSED
}

static void refuse_second(int fd)
{
	int other = open_device();

	CHECK(attach(fd, 0) == EBUSY);
	CHECK(attach(fd, 1) == EBUSY);
	CHECK(attach(other, 0) == EBUSY);
	CHECK(attach(other, 1) == 0);
	close(other);
	/* Another process cannot have it either, this one still does. */
	if (fork() == 0)
		_exit(attach(open_device(), 0));
	int status = 0;
	CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == EBUSY);
}

static void refuse_requests(int fd)
{
	static const unsigned long all[] = {
		SOFTH100_WAIT,	      SOFTH100_REGISTER_GET,  SOFTH100_REGISTER_SET,
		SOFTH100_FSP_RECEIVE, SOFTH100_FSP_SEND,      SOFTH100_FSP_READY,
		SOFTH100_GSP_RUN,     SOFTH100_GSP_INTERRUPT, SOFTH100_RAISE,
		SOFTH100_WPR2,	      SOFTH100_PRESENT,	      SOFTH100_ANSWER,
		SOFTH100_BELLS,	      SOFTH100_BELL_ARM,      SOFTH100_BELL_FREE,
	};
	static const struct {
		unsigned long request;
		uint32_t value;
	} words[] = {
		{ SOFTH100_FSP_READY, 2 },   { SOFTH100_GSP_RUN, 4 },
		{ SOFTH100_RAISE, 512 },     { SOFTH100_RAISE, ~0u },
		{ SOFTH100_PRESENT, 2 },     { SOFTH100_ANSWER, 0 },
		{ SOFTH100_ANSWER, 0x7fff }, { SOFTH100_BELL_ARM, 0 },
		{ SOFTH100_BELL_ARM, ~0u },  { SOFTH100_BELL_FREE, 0 },
		{ SOFTH100_BELL_FREE, ~0u },
	};
	struct softh100_command command;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		CHECK(fails(ioctl(fd, all[i], (void *)8), EFAULT));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		CHECK(set_word(fd, words[i].request, words[i].value) == EINVAL);
	CHECK(fails(ioctl(fd, SOFTH100_COMMAND, &command), EAGAIN));
	CHECK(fails(ioctl(fd, _IO('H', 0x7f), &command), ENOTTY));
	CHECK(fails(ioctl(fd, _IO('H', 0x7f), (void *)8), ENOTTY));
	CHECK(fails(ioctl(fd, _IOW('H', 0x04, uint64_t[4]), &command), ENOTTY));
}

static void refuse_contents(int fd)
{
	struct softh100_register r = { .offset = 0x4 };
	struct softh100_packet p = { .size = 6, .data = (uintptr_t)&r };
	struct softh100_range w = { 8192, 4096 };
	struct softh100_attach a;

	identify(fd, 0, &a);
	for (r.offset = 0; r.offset <= 0x10; r.offset += 2)
		if (r.offset == 2 || r.offset == 0x10)
			CHECK(fails(ioctl(fd, SOFTH100_REGISTER_GET, &r), EINVAL));
	r.offset = ~3u;
	CHECK(fails(ioctl(fd, SOFTH100_REGISTER_SET, &r), EINVAL));
	CHECK(fails(ioctl(fd, SOFTH100_FSP_SEND, &p), EINVAL));
	p.size = 0;
	CHECK(fails(ioctl(fd, SOFTH100_FSP_SEND, &p), EINVAL));
	p.size = 1028;
	CHECK(fails(ioctl(fd, SOFTH100_FSP_SEND, &p), EINVAL));
	p.size = 8;
	p.data = 8;
	CHECK(fails(ioctl(fd, SOFTH100_FSP_SEND, &p), EFAULT));
	p.data = ~0ull;
	CHECK(fails(ioctl(fd, SOFTH100_FSP_SEND, &p), EFAULT));
	/* Nothing has been sent: there is none, whatever the space. */
	CHECK(ioctl(fd, SOFTH100_FSP_RECEIVE, &p) == 0 && p.size == 0);
	CHECK(fails(ioctl(fd, SOFTH100_WPR2, &w), EINVAL));
	w.start = 0;
	w.end = a.video_bytes + 1;
	CHECK(fails(ioctl(fd, SOFTH100_WPR2, &w), EINVAL));
}

static void refuse_dma(int fd)
{
	static char space[(1 << 20) + 1];

	CHECK(pread(fd, space, 0, 0) == 0);
	CHECK(fails((int)pread(fd, space, 1, 0), EFAULT));
	CHECK(fails((int)pread(fd, space, 8, 0x1000), EFAULT));
	CHECK(fails((int)pwrite(fd, space, 8, 1ll << 47), EFAULT));
	CHECK(fails((int)pwrite(fd, space, 1 << 20, INT64_MAX - (1 << 20)), EFAULT));
	CHECK(fails((int)pread(fd, space, sizeof(space), 1ll << 47), EINVAL));
	CHECK(fails((int)pread(fd, space, 1, -1), EINVAL));
}

static void refuse_mappings(int fd)
{
	struct softh100_attach a;
	size_t page = 4096;

	identify(fd, 0, &a);
#define MAP(size, prot, flags, offset) (mmap(NULL, size, prot, flags, fd, (off_t)(offset)))
	CHECK(MAP(page, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(MAP(page, PROT_READ, MAP_PRIVATE, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(MAP(page, PROT_READ, MAP_SHARED, a.video_bytes) == MAP_FAILED && errno == EINVAL);
	CHECK(MAP(2 * page, PROT_READ, MAP_SHARED, a.video_bytes - page) == MAP_FAILED &&
	      errno == EINVAL);
	CHECK(MAP(a.video_bytes + page, PROT_READ, MAP_SHARED, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(MAP(page, PROT_READ, MAP_SHARED, 1ull << 62) == MAP_FAILED);

	volatile char *last = MAP(page, PROT_READ | PROT_WRITE, MAP_SHARED, a.video_bytes - page);
	CHECK(last != MAP_FAILED && last[page - 1] == 0);
	last[page - 1] = 1;
	CHECK(mremap((void *)last, page, 2 * page, MREMAP_MAYMOVE) == MAP_FAILED);
	munmap((void *)last, page);
	last = MAP(page, PROT_READ, MAP_SHARED, a.video_bytes - page);
	CHECK(last != MAP_FAILED && last[page - 1] == 1);
	munmap((void *)last, page);
#undef MAP
}

/* Nobody has a bell here. */
static void refuse_bells(int fd)
{
	const uint64_t size = SOFTH100_BELLS_MAX * 4096ull, at = SOFTH100_BELLS_OFFSET;
	struct softh100_bells bells = { .count = 7 };
	int status = 0;
	char *page;

#define MAP(size, flags, offset) \
	(mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, (off_t)(offset)))
	CHECK(ioctl(fd, SOFTH100_BELLS, &bells) == 0 && bells.count == 0);
	CHECK(MAP(4096, MAP_PRIVATE, at) == MAP_FAILED && errno == EINVAL);
	CHECK(MAP(size + 4096, MAP_SHARED, at) == MAP_FAILED && errno == EINVAL);
	CHECK(MAP(8192, MAP_SHARED, at + size - 4096) == MAP_FAILED && errno == EINVAL);
	CHECK(MAP(4096, MAP_SHARED, at + size) == MAP_FAILED && errno == EINVAL);
	CHECK(MAP(4096, MAP_SHARED, at - 4096) == MAP_FAILED && errno == EINVAL);
	if (fork() == 0) {
		page = MAP(size, MAP_SHARED, at);
		_exit(page == MAP_FAILED ? 1 : page[4096]);
	}
	CHECK(wait(&status) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
#undef MAP
}

static void wait_times(int fd)
{
	struct softh100_wait w = { .timeout_ns = 0 };
	struct timespec begin, end;
	int64_t ns;

	CHECK(ioctl(fd, SOFTH100_WAIT, &w) == 0 && w.work == 0);
	w.timeout_ns = 50000000;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	CHECK(ioctl(fd, SOFTH100_WAIT, &w) == 0 && w.work == 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	ns = (end.tv_sec - begin.tv_sec) * 1000000000ll + end.tv_nsec - begin.tv_nsec;
	CHECK(ns >= 50000000);
}

static void on_alarm(int signal)
{
}

static void wait_interrupted(int fd)
{
	struct softh100_wait w = { .timeout_ns = ~0ull };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };

	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	CHECK(fails(ioctl(fd, SOFTH100_WAIT, &w), EINTR));
}

static int refuse(void)
{
	int fd = open_device();

	refuse_before_attach(fd);
	refuse_attach(fd);
	CHECK(attach(fd, 0) == 0);
	refuse_second(fd);
	refuse_requests(fd);
	refuse_contents(fd);
	refuse_dma(fd);
	refuse_mappings(fd);
	refuse_bells(fd);
	wait_times(fd);
	wait_interrupted(fd);
	close(fd);
	/* What the last one left in video memory is gone with it. */
	fd = open_device();
	CHECK(attach(fd, 0) == 0);
	const volatile uint32_t *first = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(first != MAP_FAILED && *first == 0);
	printf("%d failures\n", failures);
	return failures ? 1 : 0;
}

/* -- bars -------------------------------------------------------------------------------------- */

static void refuse_file(const char *path, size_t size)
{
	int fd = open(path, O_RDWR);

	errno = 0;
	if (fd < 0)
		return;
	printf("%s\n", path);
	CHECK(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK(mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK(read(fd, &size, 4) < 0);
	close(fd);
}

/* procfs maps the BAR that an address lies in: its file is named by domain, bus and device. */
static void refuse_proc(const char *id, const unsigned long long *bar)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/bus/pci/%.7s/%s", id, id + 8);
	fd = open(path, O_RDWR);
	CHECK(fd >= 0);
	CHECK(ioctl(fd, PCIIOC_MMAP_IS_MEM) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, (off_t)bar[2 * i]) == MAP_FAILED);
	close(fd);
}

static int bars(const char *id)
{
	unsigned long long start[6], end, flags;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", id);
	file = fopen(path, "r");
	CHECK(file);
	for (int i = 0; file && i < 6; i++)
		CHECK(fscanf(file, "%llx %llx %llx", &start[i], &end, &flags) == 3);
	if (failures)
		return 1;
	fclose(file);
	CHECK(start[0] && start[2] && start[4]);
	for (int i = 0; i < 6; i += 2) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%d", id, i);
		refuse_file(path, 4096);
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%d_wc", id, i);
		refuse_file(path, 4096);
	}
	refuse_proc(id, start);
	file = fopen("/dev/mem", "r+");
	CHECK(file);
	for (int i = 0; file && i < 6; i += 2)
		CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), (off_t)start[i]) ==
		      MAP_FAILED);
	printf("%d failures\n", failures);
	return failures ? 1 : 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve((uint32_t)atoi(argv[2]));
	if (argc == 3 && strcmp(argv[1], "attach") == 0)
		return attach(open_device(), (uint32_t)atoi(argv[2]));
	if (argc == 2 && strcmp(argv[1], "refuse") == 0)
		return refuse();
	if (argc == 3 && strcmp(argv[1], "bars") == 0)
		return bars(argv[2]);
	fprintf(stderr, "usage: softh100_client serve GPU | attach GPU | refuse | bars BUS_ID\n");
	return 2;
}
