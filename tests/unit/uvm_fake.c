// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* A resource manager and a host for unified memory alone (uvm_fake.h). */
#include "uvm_fake.h"

#include "base/bitmap.h"

struct fake fake;

const NvProcessorUuid fake_cpu = { { 0xa6, 0x5e, 0x0f, 0x4e, 0xd7, 0xd4, 0x7b, 0xa2, 0x50, 0x47,
				     0x41, 0x2c, 0x14, 0x2a, 0x77, 0x73 } };
const NvProcessorUuid fake_nobody = { { 0xff } };

/* -- GPUs -------------------------------------------------------------------------------------- */

static u32 cfg_read(void *ctx, u32 offset, u32 width)
{
	return 0;
}

static void cfg_write(void *ctx, u32 offset, u32 width, u32 value)
{
}

static u64 bar_size(void *ctx, u32 bar)
{
	return bar == 2 ? FAKE_VIDEO : bar == 0 ? MIB(16) : 0;
}

static u64 bar_read(void *ctx, u32 bar, u64 offset, u32 width)
{
	struct rm_gpu *gpu = ctx;
	u64 value = 0;

	if (bar == 0) {
		/* the timer, in steps of 32 ns */
		assert_true(width == 4 && (offset == 0xbb0080 || offset == 0xbb0084));
		if (gpu->lost)
			return 0xffffffff;
		return offset == 0xbb0080 ? (u32)os_time_ns() & ~31u : (u32)(os_time_ns() >> 32);
	}
	memcpy(&value, gpu->video + offset, width);
	return value;
}

static void bar_write(void *ctx, u32 bar, u64 offset, u32 width, u64 value)
{
	struct rm_gpu *gpu = ctx;

	if (bar == 0) {
		fake_doorbell(gpu, offset, (u32)value);
		return;
	}
	if (!bitmap_test(gpu->used, (u32)(offset / KIB(4))))
		fail_msg("a write to memory that nobody has: %#llx", (unsigned long long)offset);
	if (fake.drop_write && !--fake.drop_write)
		return;
	memcpy(gpu->video + offset, &value, width);
}

static const struct os_user_pci_ops pci_ops = {
	.cfg_read = cfg_read,
	.cfg_write = cfg_write,
	.bar_size = bar_size,
	.bar_read = bar_read,
	.bar_write = bar_write,
};

enum nv_status rm_uvm_enter(struct rm *rm, u32 *token)
{
	if (fake.suspended) {
		if (fake.suspended++ < 4)
			return NV_ERR_SIGNAL_PENDING;
		fake.suspended = 0;
	}
	*token = ++fake.entered;
	return NV_OK;
}

void rm_uvm_leave(struct rm *rm, u32 token)
{
	assert_int_equal(token, fake.entered--);
}

struct rm_file *rm_uvm_file_get(struct rm *rm, s32 fd)
{
	if (fd != FAKE_FD)
		return NULL;
	fake.controls++;
	return (struct rm_file *)&fake;
}

void rm_uvm_file_put(struct rm *rm, struct rm_file *file)
{
	if (file)
		fake.controls--;
}

void rm_uvm_listen(struct rm *rm, const struct rm_uvm_listener *listener, void *ctx)
{
	fake.listener = listener;
	fake.listener_ctx = ctx;
}

const NvProcessorUuid *fake_uuid(u32 gpu)
{
	return &fake.gpus[gpu].info.uuid;
}

void fake_register_gpus_from(int fd, u32 first, u32 end)
{
	u32 i;

	for (i = first; i < end; i++) {
		UVM_REGISTER_GPU_PARAMS gpu = { .gpu_uuid = *fake_uuid(i) };
		UVM_REGISTER_GPU_VASPACE_PARAMS space = { .gpuUuid = *fake_uuid(i),
							  .rmCtrlFd = FAKE_FD,
							  .hClient = FAKE_CLIENT,
							  .hVaSpace = FAKE_VASPACE + i };

		assert_int_equal(CALL(fd, UVM_REGISTER_GPU, &gpu), NV_OK);
		assert_int_equal(CALL(fd, UVM_REGISTER_GPU_VASPACE, &space), NV_OK);
	}
}

void fake_register_gpus(int fd, u32 count)
{
	fake_register_gpus_from(fd, 0, count);
}

enum nv_status rm_uvm_gpu_get(struct rm *rm, const NvProcessorUuid *uuid, struct rm_gpu **out,
			      struct rm_uvm_gpu_info *info)
{
	u32 i;

	for (i = 0; i < FAKE_GPUS; i++) {
		if (memcmp(fake_uuid(i), uuid, sizeof(*uuid)))
			continue;
		if (fake.gpus[i].lost)
			return NV_ERR_GPU_IS_LOST;
		fake.gpus[i].refs++;
		fake.gpus[i].lost = fake.gpus[i].lose_at_get;
		*out = &fake.gpus[i];
		*info = fake.gpus[i].info;
		return NV_OK;
	}
	return NV_ERR_INVALID_DEVICE;
}

void rm_uvm_gpu_put(struct rm_gpu *gpu)
{
	assert_true(gpu->refs);
	gpu->refs--;
	/* nothing of it is left once nobody has it */
	if (!gpu->refs)
		assert_int_equal(gpu->vaspaces, 0);
}

bool rm_uvm_gpu_is_lost(const struct rm_gpu *gpu)
{
	return gpu->lost;
}

struct os_pci_dev *rm_uvm_gpu_pci(const struct rm_gpu *gpu)
{
	return gpu->pci;
}

static u64 fabric_window(const struct rm_gpu *gpu)
{
	return fake.links ? (u64)(gpu->info.instance + 1) << FAKE_WINDOW_SHIFT : 0;
}

enum nv_status rm_uvm_peer_create(struct rm_gpu *a, struct rm_gpu *b, struct rm_uvm_peer *ab,
				  struct rm_uvm_peer *ba)
{
	*ab = (struct rm_uvm_peer){ b->info.instance, fake.links, fabric_window(b) };
	*ba = (struct rm_uvm_peer){ a->info.instance, fake.links, fabric_window(a) };
	fake.peers++;
	return NV_OK;
}

void rm_uvm_peer_destroy(struct rm_gpu *a, struct rm_gpu *b)
{
	assert_true(fake.peers);
	fake.peers--;
}

/* -- Video memory ------------------------------------------------------------------------------ */

struct rm_uvm_video {
	struct rm_gpu *gpu;
	u64 address, size;
};

enum nv_status rm_uvm_video_alloc(struct rm_gpu *gpu, u64 size, u64 alignment,
				  struct rm_uvm_video **out, u64 *address)
{
	struct rm_uvm_video *video;
	u32 at, i, pages = (u32)(size / KIB(4));

	for (at = 1; at + pages <= FAKE_VIDEO / KIB(4); at++) {
		for (i = 0; i < pages && !bitmap_test(gpu->used, at + i); i++)
			;
		if (i == pages && (at * KIB(4)) % alignment == 0)
			break;
	}
	if (at + pages > FAKE_VIDEO / KIB(4))
		return NV_ERR_NO_MEMORY;
	video = os_alloc(sizeof(*video));
	if (!video)
		return NV_ERR_NO_MEMORY;
	for (i = 0; i < pages; i++)
		bitmap_set(gpu->used, at + i);
	memset(gpu->video + at * KIB(4), 0, size);
	*video = (struct rm_uvm_video){ gpu, at * KIB(4), size };
	fake.videos++;
	*out = video;
	*address = video->address;
	return NV_OK;
}

void rm_uvm_video_free(struct rm_uvm_video *video)
{
	u32 i;

	for (i = 0; i < video->size / KIB(4); i++)
		bitmap_clear(video->gpu->used, (u32)(video->address / KIB(4)) + i);
	memset(video->gpu->video + video->address, 0xa5, video->size);
	fake.videos--;
	os_free(video);
}

void rm_uvm_video_write(struct rm_gpu *gpu, u64 address, const u64 *words, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		bar_write(gpu, 2, address + i * sizeof(words[0]), sizeof(words[0]), words[i]);
}

/* -- Address spaces ---------------------------------------------------------------------------- */

struct rm_uvm_vaspace {
	struct rm_gpu *gpu;
	bool set;
};

static enum nv_status check_object(const struct rm_uvm_object *object)
{
	if (!object->file)
		return NV_ERR_INVALID_ARGUMENT;
	return object->client == FAKE_CLIENT ? NV_OK : NV_ERR_INVALID_CLIENT;
}

enum nv_status rm_uvm_vaspace_get(struct rm_gpu *gpu, const struct rm_uvm_object *object,
				  struct rm_uvm_vaspace **out)
{
	enum nv_status status = check_object(object);

	if (status != NV_OK)
		return status;
	if (object->handle != FAKE_VASPACE + gpu->info.instance)
		return NV_ERR_INVALID_OBJECT_HANDLE;
	*out = os_alloc(sizeof(**out));
	if (!*out)
		return NV_ERR_NO_MEMORY;
	(*out)->gpu = gpu;
	gpu->vaspaces++;
	return NV_OK;
}

void rm_uvm_vaspace_put(struct rm_uvm_vaspace *vaspace)
{
	assert_false(vaspace->set);
	vaspace->gpu->vaspaces--;
	os_free(vaspace);
}

enum nv_status rm_uvm_vaspace_set_page_directory(struct rm_uvm_vaspace *vaspace,
						 enum rm_uvm_aperture aperture, u64 address,
						 u32 entries)
{
	assert_int_equal(aperture, RM_UVM_VIDEO);
	assert_int_equal(entries, 2);
	if (vaspace->gpu->directory_set)
		return NV_ERR_IN_USE;
	vaspace->gpu->directory_set = true;
	vaspace->set = true;
	vaspace->gpu->root = address;
	return NV_OK;
}

void rm_uvm_vaspace_unset_page_directory(struct rm_uvm_vaspace *vaspace)
{
	vaspace->gpu->directory_set = false;
	vaspace->set = false;
}

enum nv_status rm_uvm_vaspace_pause(struct rm_uvm_vaspace *vaspace)
{
	assert_false(vaspace->gpu->paused);
	if (vaspace->gpu->lost)
		return NV_ERR_GPU_IS_LOST;
	vaspace->gpu->paused = true;
	vaspace->gpu->pauses++;
	return NV_OK;
}

void rm_uvm_vaspace_go_on(struct rm_uvm_vaspace *vaspace)
{
	assert_true(vaspace->gpu->paused);
	vaspace->gpu->paused = false;
}

enum nv_status rm_uvm_tlb_invalidate(struct rm_gpu *gpu, enum rm_uvm_aperture aperture, u64 root)
{
	gpu->invalidations++;
	gpu->unsettled = gpu->unsettled || gpu->invalidation == NV_ERR_TIMEOUT;
	gpu->lost = gpu->lost || gpu->invalidation == NV_ERR_GPU_IS_LOST;
	if (gpu->invalidation != NV_OK)
		return gpu->invalidation;
	return gpu->lost ? NV_ERR_GPU_IS_LOST : NV_OK;
}

bool rm_uvm_tlb_settled(struct rm_gpu *gpu)
{
	gpu->unsettled = gpu->unsettled && gpu->invalidation == NV_ERR_TIMEOUT;
	return !gpu->unsettled || gpu->lost;
}

/* -- Memory ------------------------------------------------------------------------------------ */

struct rm_uvm_memory {
	struct fake_object *object;
};

u32 fake_memory(u32 gpu, bool video, u64 size, u64 page_size, u64 address, u64 piece)
{
	struct fake_object *object = &fake.objects[fake.object_count];

	assert_true(fake.object_count < FAKE_OBJECTS);
	*object = (struct fake_object){
		.handle = 0x7000 + fake.object_count++,
		.gpu = &fake.gpus[gpu],
		.address = address,
		.piece = piece,
		.info = { .size = size,
			  .page_size = page_size,
			  .sysmem = !video,
			  .device = video,
			  .cached = video,
			  .kind = 6,
			  .uuid = *fake_uuid(gpu) },
	};
	return object->handle;
}

enum nv_status rm_uvm_memory_get(struct rm_gpu *gpu, const struct rm_uvm_object *object,
				 struct rm_uvm_memory **out, struct rm_uvm_memory_info *info)
{
	enum nv_status status = check_object(object);
	u32 i;

	if (status != NV_OK)
		return status;
	for (i = 0; i < fake.object_count; i++) {
		if (fake.objects[i].handle != object->handle)
			continue;
		*out = os_alloc(sizeof(**out));
		if (!*out)
			return NV_ERR_NO_MEMORY;
		(*out)->object = &fake.objects[i];
		*info = fake.objects[i].info;
		fake.memories++;
		return NV_OK;
	}
	return NV_ERR_OBJECT_NOT_FOUND;
}

void rm_uvm_memory_put(struct rm_uvm_memory *memory)
{
	assert_true(fake.memories);
	fake.memories--;
	os_free(memory);
}

enum nv_status rm_uvm_memory_segment(struct rm_uvm_memory *memory, u64 offset,
				     struct rm_uvm_segment *out)
{
	struct fake_object *o = memory->object;
	u64 size = align_up(o->info.size, o->info.page_size);

	if (offset >= size)
		return NV_ERR_INVALID_OFFSET;
	out->aperture = o->info.sysmem ? RM_UVM_SYSTEM_COHERENT : RM_UVM_VIDEO;
	out->address = o->address + (size / o->piece - 1 - offset / o->piece) * o->piece +
		       offset % o->piece;
	out->size = o->piece - offset % o->piece;
	return NV_OK;
}

/* -- Channels ---------------------------------------------------------------------------------- */

struct rm_uvm_channel {
	struct rm_gpu *gpu;
};

enum nv_status rm_uvm_channel_get(struct rm_uvm_vaspace *vaspace,
				  const struct rm_uvm_object *object, struct rm_uvm_channel **out,
				  struct rm_uvm_channel_info *info)
{
	struct rm_gpu *gpu = vaspace->gpu;
	u32 which = object->handle - FAKE_CHANNEL - gpu->info.instance, i;
	enum nv_status status = check_object(object);

	if (status != NV_OK)
		return status;
	if (which % 0x10 || which > 0x20)
		return NV_ERR_INVALID_CHANNEL;
	*out = os_alloc(sizeof(**out));
	if (!*out)
		return NV_ERR_NO_MEMORY;
	(*out)->gpu = gpu;
	memset(info, 0, sizeof(*info));
	info->resource_count = which ? 2 : 0;
	for (i = 0; i < info->resource_count; i++) {
		info->resources[i].size = i ? MIB(2) : KIB(64);
		info->resources[i].alignment = i ? MIB(2) : KIB(4);
		info->resources[i].segment =
			(struct rm_uvm_segment){ i ? RM_UVM_VIDEO : RM_UVM_SYSTEM_COHERENT,
						 MIB(512) + i * MIB(2), MIB(2) };
	}
	gpu->channels++;
	gpu->channel_stopped = false;
	return NV_OK;
}

enum nv_status rm_uvm_channel_bind(struct rm_uvm_channel *channel, const u64 *addresses, u32 count)
{
	channel->gpu->channel_bound = true;
	memcpy(channel->gpu->bound, addresses, count * sizeof(addresses[0]));
	return NV_OK;
}

void rm_uvm_channel_stop(struct rm_uvm_channel *channel, bool immediate)
{
	channel->gpu->channel_stopped = true;
}

void rm_uvm_channel_put(struct rm_uvm_channel *channel)
{
	assert_true(channel->gpu->channel_stopped);
	channel->gpu->channels--;
	os_free(channel);
}

/* -- The host ---------------------------------------------------------------------------------- */

static struct uvm_file *file_get(s32 fd)
{
	if (fd < 0 || fd >= (s32)FAKE_FILES || !fake.files[fd])
		return NULL;
	fake.file_refs[fd]++;
	return fake.files[fd];
}

static void file_put(struct uvm_file *file)
{
	u32 fd;

	for (fd = 0; fd < FAKE_FILES && fake.files[fd] != file; fd++)
		;
	assert_true(fd < FAKE_FILES && fake.file_refs[fd]);
	if (--fake.file_refs[fd])
		return;
	fake.files[fd] = NULL;
	uvm_file_close(file);
}

static u64 current_mm(void)
{
	return fake.mm;
}

static bool unmap(void *ctx, u64 address, u64 size)
{
	fake.unmapped = address;
	fake.unmapped_size = size;
	if (fake.can_unmap && fake.on_unmap)
		fake.on_unmap(address, size);
	return fake.can_unmap;
}

static bool movable(void *ctx, u64 address, u64 size)
{
	return fake.can_unmap;
}

static bool protect(void *ctx, u64 address, u64 size)
{
	assert_true(fake.can_unmap);
	if (fake.on_protect)
		fake.on_protect(address, size);
	return !fake.fail_protect;
}

static void discard(void *ctx, const struct uvm_extent *extent)
{
	fake.unmapped = extent->address;
	fake.unmapped_size = extent->size;
	if (fake.on_discard)
		fake.on_discard(extent);
}

static void wake(void *ctx)
{
	fake.wakes++;
}

static const struct uvm_host_ops host_ops = {
	.file_get = file_get,
	.file_put = file_put,
	.current_mm = current_mm,
	.unmap = unmap,
	.wake = wake,
};

static const struct uvm_host_ops two_steps_ops = {
	.file_get = file_get,
	.file_put = file_put,
	.current_mm = current_mm,
	.movable = movable,
	.protect = protect,
	.discard = discard,
	.wake = wake,
};

int fake_open(enum uvm_node node)
{
	int fd;

	for (fd = 0; fd < (int)FAKE_FILES && fake.files[fd]; fd++)
		;
	if (fd == (int)FAKE_FILES ||
	    uvm_file_open(fake.uvm, node, &fake.files[fd], &fake.files[fd]) != NV_OK)
		return -1;
	fake.file_refs[fd] = 1;
	fake.open[fd] = true;
	return fd;
}

void fake_close(int fd)
{
	assert_true(fake.open[fd]);
	fake.open[fd] = false;
	file_put(fake.files[fd]);
}

static void start(const struct uvm_host_ops *ops, bool populate, bool tests)
{
	struct uvm_config config = { .host = ops,
				     .populate_managed = populate,
				     .builtin_tests = tests };
	u32 i;

	memset(&fake, 0, sizeof(fake));
	fake.live = unit_live();
	fake.mm = 100;
	fake.can_unmap = true;
	for (i = 0; i < FAKE_GPUS; i++) {
		struct rm_gpu *gpu = &fake.gpus[i];
		struct os_pci_location location = { 0, (u8)(i + 1), 0, 0 };

		gpu->pci = os_user_pci_register(&pci_ops, gpu, &location);
		assert_non_null(gpu->pci);
		gpu->video = calloc(1, FAKE_VIDEO);
		gpu->info.instance = i;
		gpu->info.video_memory = FAKE_VIDEO;
		gpu->info.architecture = 0x180;
		gpu->info.host_class = 0xc86f;
		gpu->info.copy_class = 0xc8b5;
		gpu->info.sec2_class = 0xcba2;
		gpu->info.uuid.uuid[0] = (u8)(i + 1);
		gpu->info.uuid.uuid[15] = 0x33;
	}
	assert_int_equal(uvm_create(&config, &fake.uvm), NV_OK);
}

void fake_start(bool populate)
{
	start(&host_ops, populate, false);
}

void fake_start_two_steps(void)
{
	start(&two_steps_ops, true, false);
}

void fake_start_tests(void)
{
	start(&host_ops, false, true);
	fake.copies_run = true;
}

int fake_end(void **state)
{
	u32 i;

	for (i = 0; i < FAKE_FILES; i++) {
		if (fake.open[i])
			fake_close((int)i);
	}
	uvm_destroy(fake.uvm);
	assert_null(fake.listener);
	assert_int_equal(fake.entered, 0);
	assert_int_equal(fake.controls, 0);
	assert_int_equal(fake.memories, 0);
	assert_int_equal(fake.peers, 0);
	assert_int_equal(fake.videos, 0);
	assert_int_equal(fake.sessions, 0);
	for (i = 0; i < FAKE_GPUS; i++) {
		assert_int_equal(fake.gpus[i].refs, 0);
		assert_int_equal(fake.gpus[i].vaspaces, 0);
		assert_int_equal(fake.gpus[i].channels, 0);
		os_user_pci_unregister(fake.gpus[i].pci);
		free(fake.gpus[i].video);
	}
	assert_int_equal(unit_live(), fake.live);
	return 0;
}

/* -- The walk ---------------------------------------------------------------------------------- */

static u64 word(const struct rm_gpu *gpu, u64 address)
{
	u64 value;

	assert_true(address % 8 == 0 && address + 8 <= FAKE_VIDEO);
	assert_true(bitmap_test(gpu->used, (u32)(address / KIB(4))));
	memcpy(&value, gpu->video + address, 8);
	return value;
}

static struct fake_page decode(u64 pte, u64 va, u64 size)
{
	struct fake_page page = { .size = size };
	u32 pcf = (pte >> 3) & 0x1f;

	page.valid = pte & 1;
	page.sparse = !page.valid && pcf == 1;
	page.aperture = (pte >> 1) & 3;
	page.kind = (pte >> 8) & 0xf;
	page.peer = (u32)(pte >> 61);
	page.address = (pte & 0x000ffffffffff000ull) + va % size;
	page.uncached = pcf & 1;
	page.read_only = pcf & 4;
	page.no_atomics = pcf & 8;
	return page;
}

struct fake_page fake_walk(u32 number, u64 va)
{
	static const u32 shifts[] = { 56, 47, 38, 29 };
	static const u32 masks[] = { 1, 511, 511, 511 };
	const struct rm_gpu *gpu = &fake.gpus[number];
	struct fake_page page = { 0 };
	u64 table = gpu->root, big, small;
	u32 i;

	assert_true(gpu->directory_set);
	for (i = 0; i < 4; i++) {
		u64 entry = word(gpu, table + 8 * ((va >> shifts[i]) & masks[i]));

		if (i == 3 && ((entry & 1) || (!(entry & 6) && entry)))
			return decode(entry, va, MIB(512));
		if (!(entry & 6))
			return page;
		assert_int_equal((entry >> 1) & 3, 1); /* video memory */
		table = entry & 0x000ffffffffff000ull;
	}
	big = word(gpu, table + 16 * ((va >> 21) & 255));
	small = word(gpu, table + 16 * ((va >> 21) & 255) + 8);
	if (big & 1)
		return decode(big, va, MIB(2));
	if (big & 6) {
		u64 pte = word(gpu, (big & 0x000fffffffffff00ull) + 8 * ((va >> 16) & 31));

		page = decode(pte, va, KIB(64));
		if (page.valid || page.sparse)
			return page;
	}
	if (small & 6)
		return decode(word(gpu, (small & 0x000ffffffffff000ull) + 8 * ((va >> 12) & 511)),
			      va, KIB(4));
	return page;
}
