// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A whole daemon in this process that runs out of memory: each allocation in turn, of the event
 * loop and of the channels' threads, fails once. The client whose request it was sees an error or
 * loses its connection, nothing stays behind, and the next client is served.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "abi/r535.h"
#include "host/user/daemon.h"
#include "host/user/dgram.h"
#include "host/user/handoff.h"
#include "host/user/machine.h"
#include "unit.h"

#define PATIENCE_NS 20000000000ull
#define DEVICE 0xd0u
#define SUBDEVICE 0xd1u
#define MEMORY 0xe0u

/* -- Allocations that fail --------------------------------------------------------------------- */

static u32 countdown;	    /* atomic: the allocation that fails is that many away; 0: none is */
static u32 counted, failed; /* atomic */
static __thread bool is_loop;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
			  void *arg);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
			  void *arg);

/* The daemon's threads alone: not the test's, and not the software GPU's. */
static bool fails(void)
{
	if (!is_loop && !channel_current())
		return false;
	os_fetch_add(&counted, 1);
	if (!os_load_acquire(&countdown) || os_fetch_sub(&countdown, 1) != 1)
		return false;
	os_fetch_add(&failed, 1);
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
			  void *arg)
{
	return fails() ? EAGAIN : __real_pthread_create(thread, attr, fn, arg);
}

/* -- The daemon -------------------------------------------------------------------------------- */

static char dir[64], socket_path[80], tree_path[80];
static pthread_t thread;

static void *daemon_thread(void *arg)
{
	struct daemon_config config = { .socket_path = socket_path,
					.socket_mode = 0600,
					.ready_fd = *(int *)arg,
					.parent_fd = -1 };
	struct machine_config machine = {
		.gpus = 1, .profile = "h100-sxm-80gb", .tree = tree_path, .lend = true
	};

	if (machine_create(&machine, &config.machine))
		return "machine";
	is_loop = true;
	if (daemon_run(&config))
		return "daemon";
	is_loop = false;
	machine_destroy(config.machine);
	return NULL;
}

static int start(void **state)
{
	static int ready[2];
	char byte;

	strcpy(dir, "/tmp/test-daemon-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(socket_path, sizeof(socket_path), "%s/socket", dir);
	snprintf(tree_path, sizeof(tree_path), "%s/root", dir);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pthread_create(&thread, NULL, daemon_thread, &ready[1]), 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return 0;
}

static int stop(void **state)
{
	void *result;

	daemon_stop();
	pthread_join(thread, &result);
	assert_null(result);
	unlink(socket_path);
	return rmdir(dir);
}

/* -- A client ---------------------------------------------------------------------------------- */

struct client {
	int sock, files[4];
	u64 ids[4];
	u32 file_count;
	struct lh_shm *shm;
	u32 sent, seen, questions;
	u32 promised; /* pieces that a pin is answered with, whose descriptors never come */
	u64 conn, secret[2];
};

static int dial(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, socket_path);
	assert_true(sock >= 0);
	assert_int_equal(connect(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return sock;
}

static void post(struct client *c, const struct lh_msg *msg)
{
	c->shm->asked = *msg;
	handoff_post(&c->shm->request, ++c->sent, &c->shm->daemon_sleeps);
}

/* The daemon's next message is there; false when the connection ended instead. */
static bool came(struct client *c)
{
	u64 until = os_time_ns() + PATIENCE_NS;

	while (!handoff_spin(&c->shm->reply, c->seen, 20000)) {
		struct pollfd pfd = { .fd = c->sock, .events = POLLRDHUP };

		assert_true(os_time_ns() < until);
		if (poll(&pfd, 1, 0) > 0 && (pfd.revents & (POLLHUP | POLLRDHUP)))
			return false;
		handoff_sleep(&c->shm->reply, c->seen, &c->shm->client_sleeps,
			      &(struct timespec){ .tv_nsec = 1000000 });
	}
	c->seen = __atomic_load_n(&c->shm->reply, __ATOMIC_ACQUIRE);
	return !c->shm->refused;
}

/* A question of the daemon's; what it copies is this process's own. */
static void answer(struct client *c)
{
	struct lh_msg msg = c->shm->told;
	void *user = (void *)(uintptr_t)msg.args[0];
	size_t size = (size_t)msg.args[1];

	c->questions++;
	if (msg.op == LH_ASK_COPY_IN)
		memcpy(c->shm->data, user, size);
	else if (msg.op == LH_ASK_COPY_OUT)
		memcpy(user, c->shm->data, size);
	else
		assert_true(msg.op == LH_ASK_FD || msg.op == LH_ASK_PIN);
	if (msg.op == LH_ASK_FD)
		msg.args[0] = msg.args[0] < c->file_count ? c->ids[msg.args[0]] : 0;
	msg.result = msg.op != LH_ASK_PIN ? 0 : c->promised ? (s32)c->promised : -EOPNOTSUPP;
	for (u32 i = 0; msg.op == LH_ASK_PIN && i < c->promised; i++)
		((struct lh_pin_piece *)c->shm->data)[i] =
			(struct lh_pin_piece){ .token = 1000 + i, .size = OS_PAGE_SIZE };
	msg.op = LH_OP_ANSWER;
	post(c, &msg);
}

/* 0 or more, or minus an errno, as the daemon says; -EPIPE: it ended the connection. */
static s32 turn(struct client *c, struct lh_msg *msg)
{
	post(c, msg);
	for (;;) {
		if (!came(c))
			return -EPIPE;
		if (c->shm->told.op == LH_REPLY)
			break;
		answer(c);
	}
	*msg = c->shm->told;
	/* Writes that were kept for the end. */
	for (u32 i = 2; i-- > 0;) {
		if (msg->piece[i])
			memcpy((void *)(uintptr_t)msg->args[2 + i],
			       c->shm->data + (i ? msg->at : 0), msg->piece[i]);
	}
	return msg->result;
}

static bool client_open(struct client *c)
{
	struct lh_hello hello = { .magic = LH_MAGIC,
				  .version = LH_VERSION,
				  .role = LH_ROLE_CLIENT };
	struct lh_msg msg = { .op = LH_OP_WELCOME };
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	memset(c, 0, sizeof(*c));
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, LH_SHM_SIZE), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	c->shm = mmap(NULL, LH_SHM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(c->shm != MAP_FAILED);
	c->sock = dial();
	dgram_send(c->sock, &hello, sizeof(hello), fd);
	close(fd);
	if (turn(c, &msg))
		return false;
	c->conn = msg.args[0];
	c->secret[0] = msg.args[1];
	c->secret[1] = msg.args[2];
	return true;
}

static void client_close(struct client *c)
{
	while (c->file_count)
		close(c->files[--c->file_count]);
	close(c->sock);
	munmap(c->shm, LH_SHM_SIZE);
}

/* The number of a new file, or minus an errno. */
static int file_open(struct client *c, u64 node, u64 minor)
{
	struct lh_hello hello = { .magic = LH_MAGIC, .version = LH_VERSION, .role = LH_ROLE_FILE };
	struct lh_msg msg = { .op = LH_OP_OPEN,
			      .args = { c->file_count + 1, node, minor, O_RDWR } };
	u32 number = c->file_count++;
	s32 result;

	hello.conn = c->conn;
	memcpy(hello.secret, c->secret, sizeof(hello.secret));
	hello.token = number + 1;
	c->files[number] = dial();
	dgram_send(c->files[number], &hello, sizeof(hello), -1);
	result = turn(c, &msg);
	c->ids[number] = result ? 0 : msg.args[0];
	return result ? result : (int)number;
}

static struct lh_msg ioctl_msg(const struct client *c, int file, u32 number, void *arg, u32 size)
{
	return (struct lh_msg){
		.op = LH_OP_IOCTL,
		.args = { c->ids[file], 3u << 30 | size << 16 | 'F' << 8 | number,
			  (u64)(uintptr_t)arg },
	};
}

static s32 request(struct client *c, int file, u32 number, void *arg, u32 size)
{
	struct lh_msg msg = ioctl_msg(c, file, number, arg, size);

	return turn(c, &msg);
}

static bool make(struct client *c, u32 root, u32 parent, u32 handle, u32 class_id, void *params)
{
	NVOS64_PARAMETERS p = { .hRoot = root,
				.hObjectParent = parent,
				.hObjectNew = handle,
				.hClass = class_id,
				.pAllocParms = (u64)(uintptr_t)params };

	return request(c, 0, NV_ESC_RM_ALLOC, &p, sizeof(p)) == 0 && p.status == NV_OK;
}

/* Everything that a client does, as far as it gets; true when nothing failed. */
static bool life(struct client *c)
{
	static const char path[] = "/proc/driver/nvidia/version";
	NVOS21_PARAMETERS root = { .hClass = NV01_ROOT };
	NV0080_ALLOC_PARAMETERS device = { .deviceId = 0 };
	NV_MEMORY_ALLOCATION_PARAMS memory = { .owner = 1, .size = 4096 };
	/* More than fits a thread's stack. */
	static NV0000_CTRL_SYSTEM_GET_BUILD_VERSION_V2_PARAMS version;
	NVOS54_PARAMETERS control = { .cmd = NV0000_CTRL_CMD_SYSTEM_GET_BUILD_VERSION_V2,
				      .params = (u64)(uintptr_t)&version,
				      .paramsSize = sizeof(version) };
	nv_ioctl_register_fd_t link = { .ctl_fd = 0 };
	struct lh_msg msg = { .op = LH_OP_TEXT, .size = sizeof(path) - 1 };
	bool good = file_open(c, RM_NODE_CONTROL, 255) == 0;

	if (!good)
		return false;
	good = file_open(c, RM_NODE_GPU, 0) == 1 &&
	       request(c, 1, NV_ESC_REGISTER_FD, &link, sizeof(link)) == 0;
	good &= request(c, 0, NV_ESC_RM_ALLOC, &root, sizeof(root)) == 0 && root.status == NV_OK;
	control.hClient = control.hObject = root.hObjectNew;
	good &= request(c, 0, NV_ESC_RM_CONTROL, &control, sizeof(control)) == 0 &&
		control.status == NV_OK;
	good &= make(c, root.hObjectNew, root.hObjectNew, DEVICE, NV01_DEVICE_0, &device);
	good &= make(c, root.hObjectNew, DEVICE, SUBDEVICE, NV20_SUBDEVICE_0, NULL);
	good &= make(c, root.hObjectNew, DEVICE, MEMORY, NV01_MEMORY_LOCAL_USER, &memory);
	memcpy(c->shm->data, path, sizeof(path));
	good &= turn(c, &msg) == 0;
	return good;
}

static bool live_once(void)
{
	struct client c;
	bool good = client_open(&c) && life(&c);

	client_close(&c);
	return good;
}

/* -- What is left ------------------------------------------------------------------------------ */

struct left {
	u32 conns, files, fds, threads;
	u64 live;
	struct rm_statistics rm;
};

static u32 entries(const char *path)
{
	DIR *d = opendir(path);
	u32 count = 0;

	assert_non_null(d);
	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

static void look(struct left *left)
{
	memset(left, 0, sizeof(*left));
	left->conns = conn_count();
	left->files = dfile_count();
	left->fds = entries("/proc/self/fd");
	left->threads = entries("/proc/self/task");
	left->live = unit_live();
	rm_statistics(machine_rm(daemon_machine()), &left->rm);
}

static void assert_settles(const struct left *want, u32 nth)
{
	u64 until = os_time_ns() + PATIENCE_NS;
	struct left now;

	for (look(&now); memcmp(&now, want, sizeof(now)); look(&now)) {
		if (os_time_ns() > until)
			fail_msg("allocation %u: %u connections, %u files, %u descriptors, "
				 "%u threads, %u objects, %llu allocations are left; "
				 "before: %u, %u, %u, %u, %u, %llu",
				 nth, now.conns, now.files, now.fds, now.threads, now.rm.objects,
				 (unsigned long long)now.live, want->conns, want->files, want->fds,
				 want->threads, want->rm.objects, (unsigned long long)want->live);
		os_sleep_us(200);
	}
}

/* arm makes the nth allocation fail, and 0 none; happened counts those that did. */
static void fail_each(void (*arm)(u32 nth), u64 (*happened)(void))
{
	struct lh_msg msg = { .op = LH_OP_WELCOME };
	struct client keeper;
	struct left empty, full;
	u32 nth, spoiled = 0;

	/* The first life of all makes what stays. */
	assert_true(live_once());
	os_sleep_us(200000);
	look(&empty);
	assert_int_equal(empty.conns + empty.files + empty.rm.clients + empty.rm.objects, 0);
	/* Keeps the firmware up, so that each life is about the daemon; it must not notice. */
	assert_true(client_open(&keeper) && life(&keeper));
	assert_true(live_once());
	os_sleep_us(200000);
	look(&full);
	for (nth = 1; nth < 5000; nth++) {
		u64 before = happened();
		bool good;

		arm(nth);
		good = live_once();
		arm(0);
		assert_settles(&full, nth);
		if (happened() == before) {
			assert_true(good);
			break;
		}
		spoiled += !good;
		assert_true(live_once());
		assert_settles(&full, nth);
	}
	assert_true(nth < 5000 && spoiled > 10);
	assert_int_equal(turn(&keeper, &msg), 0);
	client_close(&keeper);
	assert_settles(&empty, 0);
	print_message("%u allocations failed, %u lives ended early\n", nth - 1, spoiled);
}

static void arm_wrap(u32 nth)
{
	os_store_release(&countdown, nth);
}

static u64 happened_wrap(void)
{
	return os_load_acquire(&failed);
}

static void test_each_allocation_of_the_daemon(void **state)
{
	os_store_release(&counted, 0);
	assert_true(live_once());
	/* A link that does not know of wrapping leaves nothing to look at. */
	if (!os_load_acquire(&counted))
		skip();
	fail_each(arm_wrap, happened_wrap);
}

static void arm_driver(u32 nth)
{
	os_user_fail_alloc(nth);
}

static void test_each_allocation_of_the_driver(void **state)
{
	if (!os_user_fail_alloc(0))
		skip();
	fail_each(arm_driver, unit_failed);
}

/* -- What a client reads ahead ----------------------------------------------------------------- */

/* A control's structure and, at some place behind its start, the parameters. */
struct control_memory {
	_Alignas(8) u8 bytes[512];
};

struct ahead {
	u32 params_at;	    /* in the memory */
	u32 piece[2], sure; /* as the message says */
	s32 piece_1_at;	    /* what it says of the second's place: bytes from the parameters */
	u32 questions;	    /* that the daemon then asks */
};

/* One control that returns a list of 256 bytes; what memory holds then. */
static void control_ahead(struct client *c, u32 root, const struct ahead *a,
			  struct control_memory *memory)
{
	NVOS54_PARAMETERS p = {
		.hClient = root,
		.hObject = root,
		.cmd = NV0000_CTRL_CMD_GPU_GET_PROBED_IDS,
		.params = (u64)(uintptr_t)(memory->bytes + a->params_at),
		.paramsSize = sizeof(NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS),
	};
	struct lh_msg msg = ioctl_msg(c, 0, NV_ESC_RM_CONTROL, memory->bytes, sizeof(p));
	u8 *second = memory->bytes + a->params_at + a->piece_1_at;

	memset(memory->bytes, 0x5a, sizeof(memory->bytes));
	memcpy(memory->bytes, &p, sizeof(p));
	msg.args[3] = (u64)(uintptr_t)second;
	msg.piece[0] = (u16)a->piece[0];
	msg.piece[1] = (u16)a->piece[1];
	msg.at = a->sure;
	if (a->piece[0] <= sizeof(memory->bytes))
		memcpy(c->shm->data, memory->bytes, a->piece[0]);
	if (a->piece[0] + a->piece[1] <= sizeof(memory->bytes))
		memcpy(c->shm->data + a->piece[0], second, a->piece[1]);
	c->questions = 0;
	assert_int_equal(turn(c, &msg), 0);
	/* Where the machine put the memory is not what is compared. */
	memset(memory->bytes + offsetof(NVOS54_PARAMETERS, params), 0, sizeof(p.params));
}

/* Whatever was read ahead, the client's memory ends up the same. */
static void test_read_ahead(void **state)
{
	static const struct ahead cases[] = {
		{ 64, { 0, 0 }, 0, 0, 4 },	/* structure and list, each in and out */
		{ 64, { 32, 0 }, 0, 0, 2 },	/* the structure's write waits for the reply */
		{ 64, { 32, 256 }, 0, 0, 1 },	/* writing the list may fail */
		{ 64, { 32, 256 }, 1, 0, 0 },	/* that cannot either */
		{ 64, { 32, 200 }, 1, 0, 2 },	/* too little of it */
		{ 64, { 32, 448 }, 1, -64, 1 }, /* the structure, too: its write does not wait */
		{ 64, { 32, 300 }, 1, -16, 0 }, /* more than the list, around it */
		{ 64, { 16, 256 }, 1, 0, 2 },	/* too little of the structure */
		{ 64, { 0, 256 }, 1, 0, 4 },	/* no second piece without a first */
		{ 64, { 4097, 256 }, 1, 0, 4 }, /* too much */
		{ 64, { 32, 4097 }, 1, 0, 2 },	{ 0, { 32, 256 }, 1, 0, 2 }, /* both in one place */
		{ 16, { 32, 256 }, 1, 0, 2 },
	};
	NVOS21_PARAMETERS root = { .hClass = NV01_ROOT };
	struct control_memory plain, memory;
	struct client c;

	assert_true(client_open(&c));
	assert_int_equal(file_open(&c, RM_NODE_CONTROL, 255), 0);
	assert_int_equal(request(&c, 0, NV_ESC_RM_ALLOC, &root, sizeof(root)), 0);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct ahead nothing = { .params_at = cases[i].params_at };

		control_ahead(&c, root.hObjectNew, &nothing, &plain);
		control_ahead(&c, root.hObjectNew, &cases[i], &memory);
		if (memcmp(&plain, &memory, sizeof(plain)) || c.questions != cases[i].questions)
			fail_msg("case %u: %s, %u questions", i,
				 memcmp(&plain, &memory, sizeof(plain)) ? "other bytes" : "same",
				 c.questions);
	}
	client_close(&c);
}

/* -- Pins -------------------------------------------------------------------------------------- */

/* A client that promises descriptors holds the daemon up for one of them at most. */
static void test_promised_descriptors(void **state)
{
	nv_ioctl_nvos02_parameters_with_fd p = {
		.params = { .hObjectParent = DEVICE,
			    .hObjectNew = MEMORY,
			    .hClass = NV01_MEMORY_SYSTEM_OS_DESCRIPTOR,
			    .flags = 0x40041010,
			    .pMemory = 0x40000,
			    .limit = 16 * OS_PAGE_SIZE - 1 },
	};
	nv_ioctl_register_fd_t link = { .ctl_fd = 0 };
	NVOS21_PARAMETERS root = { .hClass = NV01_ROOT };
	NV0080_ALLOC_PARAMETERS device = { .deviceId = 0 };
	struct client c;
	u64 begin;

	assert_true(client_open(&c));
	assert_int_equal(file_open(&c, RM_NODE_CONTROL, 255), 0);
	assert_int_equal(file_open(&c, RM_NODE_GPU, 0), 1);
	assert_int_equal(request(&c, 1, NV_ESC_REGISTER_FD, &link, sizeof(link)), 0);
	assert_int_equal(request(&c, 0, NV_ESC_RM_ALLOC, &root, sizeof(root)), 0);
	assert_true(make(&c, root.hObjectNew, root.hObjectNew, DEVICE, NV01_DEVICE_0, &device));
	p.params.hRoot = root.hObjectNew;
	c.promised = 16;
	begin = os_time_ns();
	assert_int_equal(request(&c, 1, NV_ESC_RM_ALLOC_MEMORY, &p, sizeof(p)), 0);
	assert_int_not_equal(p.params.status, NV_OK);
	assert_true(os_time_ns() - begin < PATIENCE_NS / 2);
	client_close(&c);
}

/* -- Doorbells --------------------------------------------------------------------------------- */

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

struct stuck {
	u8 *page, *area; /* the doorbell, and memory whose end is an event */
	u32 done;	 /* atomic */
};

static void *store(void *arg)
{
	struct stuck *stuck = arg;

	os_store_release(stuck->page, 1);
	os_fetch_add(&stuck->done, 1);
	return NULL;
}

static void *unmap(void *arg)
{
	struct stuck *stuck = arg;

	munmap(stuck->area, OS_PAGE_SIZE);
	os_fetch_add(&stuck->done, 1);
	return NULL;
}

static int watched_fd(const struct stuck *stuck)
{
	struct uffdio_api api = { .api = UFFD_API,
				  .features = UFFD_FEATURE_WP_HUGETLBFS_SHMEM |
					      UFFD_FEATURE_EVENT_UNMAP };
	struct uffdio_register page = { .range = { (u64)(uintptr_t)stuck->page, OS_PAGE_SIZE },
					.mode = UFFDIO_REGISTER_MODE_WP };
	struct uffdio_register area = { .range = { (u64)(uintptr_t)stuck->area, OS_PAGE_SIZE },
					.mode = UFFDIO_REGISTER_MODE_WP };
	struct uffdio_writeprotect on = { .range = page.range,
					  .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd < 0)
		return -1;
	if (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &page) ||
	    ioctl(fd, UFFDIO_REGISTER, &area) || ioctl(fd, UFFDIO_WRITEPROTECT, &on)) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * A process changes its memory while a store waits at its doorbell: the store can be let through
 * only once the change was taken note of, and whoever watches does both.
 */
static void test_doorbell_under_changes(void **state)
{
	struct stuck stuck = { 0 };
	pthread_t threads[2];
	struct watch *watch;
	struct bell *bell;
	int fd, uffd;

	assert_int_equal(bell_get(0, 1, &fd, &bell), 0);
	stuck.page = mmap(NULL, OS_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	stuck.area = mmap(NULL, OS_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	assert_true(stuck.page != MAP_FAILED && stuck.area != MAP_FAILED);
	*(volatile u8 *)stuck.page = 0;
	uffd = watched_fd(&stuck);
	if (uffd >= 0) {
		pthread_create(&threads[0], NULL, store, &stuck);
		pthread_create(&threads[1], NULL, unmap, &stuck);
		os_sleep_us(100000); /* both wait: the store is told first, whichever came first */
		assert_int_equal(os_load_acquire(&stuck.done), 0);
		watch = watch_begin(bell, uffd, (u64)(uintptr_t)stuck.page, 0);
		assert_non_null(watch);
		for (u64 end = os_time_ns() + PATIENCE_NS;
		     os_load_acquire(&stuck.done) != 2 && os_time_ns() < end;)
			os_sleep_us(1000);
		assert_int_equal(os_load_acquire(&stuck.done), 2);
		pthread_join(threads[0], NULL);
		pthread_join(threads[1], NULL);
		watch_end(watch);
	}
	munmap(stuck.page, OS_PAGE_SIZE);
	bell_unmapped(bell);
	if (uffd < 0)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read_ahead, start, stop),
		cmocka_unit_test_setup_teardown(test_promised_descriptors, start, stop),
		cmocka_unit_test_setup_teardown(test_doorbell_under_changes, start, stop),
		cmocka_unit_test_setup_teardown(test_each_allocation_of_the_daemon, start, stop),
		cmocka_unit_test_setup_teardown(test_each_allocation_of_the_driver, start, stop),
	};

	os_user_log_set_levels(OS_LOG_ERROR, OS_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
