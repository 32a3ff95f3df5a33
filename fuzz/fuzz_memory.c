// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * libFuzzer target: memory objects, their mappings and address spaces, on the software GPU. The
 * input is a list of requests whose sizes, flags and places are drawn from those that matter, with
 * odd ones between; handles are few, so that objects meet. After each input nothing may be left.
 */
#include <sys/mman.h>

#include "base/bits.h"
#include "rm_host.h"
#include "unit.h"

#define FILES 4u
#define MAPPINGS 8u
#define DEVICE 0xd0u
#define FIRST 0xe0u
#define OBJECTS 24u

struct input {
	const u8 *data;
	size_t size;
};

static int files[FILES]; /* 0: a control file, 1 and 2: the GPU's, 3: another control file */
static struct rm_mapping *mappings[MAPPINGS];
static u64 addresses[16]; /* that requests gave back */
static u32 address_count;
/* Handles that were given to objects of a kind; they may be gone again. */
static struct {
	u32 handles[8], count;
} memories, ranges, spaces;
static u32 client;
static bool started;

static u32 take(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

static u64 a_size(struct input *in)
{
	static const u64 sizes[] = { KIB(4),	KIB(4),	   KIB(64), 0,	       1,      KIB(4),
				     KIB(64),	MIB(2),	   MIB(3),  MIB(512),  GIB(4), GIB(90),
				     BIT64(57), BIT64(63), ~(u64)0, 0xfb000000 };
	u32 kind = take(in);
	u64 size = sizes[kind % ARRAY_SIZE(sizes)];

	return kind & 0x80 ? size + take(in) - 128 : size;
}

static u64 an_address(struct input *in)
{
	u32 kind = take(in);

	if (kind & 0x80 && address_count)
		return addresses[kind % address_count % ARRAY_SIZE(addresses)] +
		       (kind & 0x40 ? 1 : 0);
	return kind & 0x20 ? (u64)take(in) << 12 : a_size(in);
}

static void keep(u64 address)
{
	addresses[address_count++ % ARRAY_SIZE(addresses)] = address;
	if (address_count == 2 * ARRAY_SIZE(addresses))
		address_count = ARRAY_SIZE(addresses);
}

static u32 a_handle(struct input *in)
{
	u32 kind = take(in);

	return kind % 16 == 0 ? DEVICE : kind % 16 == 1 ? client : FIRST + kind % OBJECTS;
}

/* Mostly one of the kind. */
static u32 one_of(struct input *in, const void *kind)
{
	const __typeof__(memories) *k = kind;
	u32 which = take(in);

	return which % 16 && k->count ? k->handles[which % min(k->count, 8u)] : a_handle(in);
}

static void keep_handle(void *kind, u32 handle)
{
	__typeof__(memories) *k = kind;

	k->handles[k->count++ % 8] = handle;
}

static u32 bits(struct input *in)
{
	u32 kind = take(in);

	return kind & 0x80 ? (u32)(take(in) << 24 | take(in) << 16 | take(in) << 8 | take(in))
			   : BIT32(kind % 32) * (kind & 1);
}

static void alloc_memory(struct input *in)
{
	static const u32 classes[] = { NV01_MEMORY_SYSTEM, NV01_MEMORY_LOCAL_USER,
				       NV50_MEMORY_VIRTUAL };
	NV_MEMORY_ALLOCATION_PARAMS p = { .owner = take(in) % 16 ? 1 : 0 };
	u32 class_id = classes[take(in) % 3], handle = FIRST + take(in) % OBJECTS;

	p.size = a_size(in);
	p.flags = bits(in);
	p.attr = bits(in);
	p.attr2 = bits(in);
	p.type = take(in) % 20;
	if (take(in) % 8) {
		p.flags &= ~(u32)NVOS32_ALLOC_FLAGS_VIRTUAL;
		if (class_id == NV50_MEMORY_VIRTUAL)
			p.flags |= NVOS32_ALLOC_FLAGS_VIRTUAL;
		p.attr &= ~(u32)REG_MASK(NVOS32_ATTR_LOCATION);
		if (class_id == NV01_MEMORY_SYSTEM) {
			p.attr |= 1u << NVOS32_ATTR_LOCATION__LO;
			p.size = min(p.size, MIB(4));
		}
	}
	p.offset = an_address(in);
	p.alignment = a_size(in);
	p.rangeHi = take(in) % 4 ? 0 : an_address(in);
	p.hVASpace = take(in) % 4 ? one_of(in, &spaces) : 0;
	/* What the host cannot give is no finding. */
	if (class_id == NV01_MEMORY_SYSTEM && p.size > GIB(1))
		return;
	if (host_alloc(files[0], client, DEVICE, &handle, class_id, &p, 0) != NV_OK)
		return;
	keep(p.offset);
	if (class_id == NV50_MEMORY_VIRTUAL)
		keep_handle(&ranges, handle);
	else
		keep_handle(&memories, handle);
}

static void alloc_space(struct input *in)
{
	NV_VASPACE_ALLOCATION_PARAMETERS v = { .index = take(in) % 8 ? 0 : take(in) % 6 };
	NV_MEMORY_VIRTUAL_ALLOCATION_PARAMS w = { .hVASpace = one_of(in, &spaces) };
	u32 handle = FIRST + take(in) % OBJECTS;

	if (take(in) & 1) {
		v.flags = take(in) % 4 ? 0 : bits(in);
		v.vaBase = take(in) % 4 ? 0 : an_address(in);
		v.vaSize = take(in) % 4 ? 0 : a_size(in);
		v.bigPageSize = take(in) % 4 ? 0 : (u32)a_size(in);
		if (host_alloc(files[0], client, DEVICE, &handle, FERMI_VASPACE_A, &v, 0) == NV_OK)
			keep_handle(&spaces, handle);
	} else {
		w.offset = take(in) % 2 ? 0 : an_address(in);
		w.limit = take(in) % 2 ? 0 : an_address(in);
		if (host_alloc(files[0], client, DEVICE, &handle, NV01_MEMORY_VIRTUAL, &w, 0) ==
		    NV_OK)
			keep_handle(&ranges, handle);
	}
}

/* Pages by their numbers, of video memory, of an object or of the bus; few enough to be mapped. */
static void alloc_list(struct input *in)
{
	static const u32 classes[] = { NV01_MEMORY_LIST_SYSTEM, NV01_MEMORY_LIST_FBMEM,
				       NV01_MEMORY_LIST_OBJECT };
	u32 class_id = classes[take(in) % 3], handle = FIRST + take(in) % OBJECTS, i;
	u64 numbers[8];
	NV_MEMORY_LIST_ALLOCATION_PARAMS p = {
		.pageNumberList = (NvP64)(uintptr_t)numbers,
		.pageCount = take(in) % (ARRAY_SIZE(numbers) + 1),
		.flagsOs02 = take(in) % 4 ? (u32)REG_PREP(NVOS02_FLAGS_PHYSICALITY,
							  NVOS02_FLAGS_PHYSICALITY_NONCONTIGUOUS)
					  : bits(in),
	};

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		numbers[i] = take(in) % 8 ? an_address(in) >> 12 : take(in);
	p.limit = take(in) % 8 ? p.pageCount * KIB(4) - 1 : a_size(in);
	if (class_id == NV01_MEMORY_LIST_OBJECT)
		p.hObject = one_of(in, &memories);
	if (take(in) % 4 == 0) {
		p.hClient = take(in) % 2 ? client : take(in);
		p.flags = bits(in);
		p.attr = bits(in);
		p.attr2 = bits(in);
		p.pteAdjust = bits(in);
		p.type = take(in);
	}
	if (host_alloc(files[0], client, DEVICE, &handle, class_id, &p, 0) == NV_OK)
		keep_handle(&memories, handle);
}

static void alloc_context_dma(struct input *in)
{
	NVOS39_PARAMETERS p = {
		.hObjectParent = client,
		.hObjectNew = FIRST + take(in) % OBJECTS,
		.hClass = take(in) % 16 ? NV01_CONTEXT_DMA : NV01_MEMORY_SYSTEM,
		.flags = take(in) % 4 ? (u32)REG_PREP(NVOS03_FLAGS_HASH_TABLE,
						      NVOS03_FLAGS_HASH_TABLE_DISABLE)
				      : bits(in),
		.hSubDevice = take(in) % 4 ? 0 : a_handle(in),
		.hMemory = one_of(in, &memories),
		.offset = take(in) % 2 ? 0 : a_size(in),
		.limit = a_size(in) - 1,
	};
	NVOS49_PARAMETERS bind = { .hClient = client, .hCtxDma = p.hObjectNew };

	host_ioctl(files[0], NV_ESC_RM_ALLOC_CONTEXT_DMA2, &p, sizeof(p));
	bind.hChannel = a_handle(in);
	host_ioctl(files[0], NV_ESC_RM_BIND_CONTEXT_DMA, &bind, sizeof(bind));
}

static void map_dma(struct input *in)
{
	NVOS46_PARAMETERS p = { .hClient = client,
				.hDevice = take(in) % 16 ? DEVICE : a_handle(in),
				.hDma = one_of(in, &ranges),
				.hMemory = one_of(in, &memories),
				.offset = take(in) % 2 ? 0 : a_size(in),
				.length = a_size(in),
				.flags = bits(in),
				.dmaOffset = an_address(in) };

	if (host_ioctl(files[0], NV_ESC_RM_MAP_MEMORY_DMA, &p, sizeof(p)) == RM_IOCTL_OK &&
	    p.status == NV_OK)
		keep(p.dmaOffset);
}

static void unmap_dma(struct input *in)
{
	NVOS47_PARAMETERS p = { .hClient = client,
				.hDevice = DEVICE,
				.hDma = one_of(in, &ranges),
				.hMemory = take(in) % 4 ? one_of(in, &memories) : 0,
				.dmaOffset = an_address(in) };

	host_ioctl(files[0], NV_ESC_RM_UNMAP_MEMORY_DMA, &p, sizeof(p));
}

static void map_cpu(struct input *in)
{
	nv_ioctl_nvos33_parameters_with_fd p = {
		.params = { .hClient = client,
			    .hDevice = take(in) % 8 ? DEVICE : a_handle(in),
			    .hMemory = one_of(in, &memories),
			    .offset = take(in) % 2 ? 0 : a_size(in),
			    .length = a_size(in),
			    .flags = bits(in) },
		.fd = files[take(in) % FILES],
	};

	if (host_ioctl(files[0], NV_ESC_RM_MAP_MEMORY, &p, sizeof(p)) == RM_IOCTL_OK &&
	    p.params.status == NV_OK)
		keep((u64)p.params.pLinearAddress);
}

static void unmap_cpu(struct input *in)
{
	NVOS34_PARAMETERS p = { .hClient = client,
				.hDevice = DEVICE,
				.hMemory = one_of(in, &memories),
				.pLinearAddress = (NvP64)an_address(in) };
	NVOS56_PARAMETERS u = { .hClient = client,
				.hDevice = DEVICE,
				.hMemory = p.hMemory,
				.pOldCpuAddress = p.pLinearAddress,
				.pNewCpuAddress = (NvP64)an_address(in) };

	if (take(in) & 1)
		host_ioctl(files[0], NV_ESC_RM_UNMAP_MEMORY, &p, sizeof(p));
	else
		host_ioctl(files[0], NV_ESC_RM_UPDATE_DEVICE_MAPPING_INFO, &u, sizeof(u));
}

/* What is mapped can be read and written to its last byte. */
static void touch(const struct rm_mapping *m)
{
	u32 i;

	for (i = 0; i < m->count; i++) {
		const struct rm_map_extent *e = &m->extents[i];

		if (e->kind == RM_MAP_PAGES)
			((volatile u8 *)e->pages->cpu)[e->offset + e->size - 1]++;
		else if (e->bar == 2)
			os_pci_wr64(m->pci, 2, e->offset + e->size - 8, i);
	}
}

static void use_mapping(struct input *in)
{
	struct rm_file *file = host.fds[files[take(in) % FILES]].file;
	u32 slot = take(in) % MAPPINGS;

	if (mappings[slot]) {
		touch(mappings[slot]);
		rm_mapping_put(mappings[slot]);
		mappings[slot] = NULL;
	} else if (rm_file_mmap(file, take(in) % 8 ? 0 : a_size(in), a_size(in), take(in) & 1,
				&mappings[slot]) != NV_OK) {
		mappings[slot] = NULL;
	} else {
		touch(mappings[slot]);
	}
}

static enum nv_status pin(void *ctx, u64 user, size_t size, bool writable,
			  struct os_user_pin_piece *pieces, u32 max, u32 *count)
{
	if (size > MIB(4))
		return NV_ERR_NO_MEMORY;
	pieces[0].fd = memfd_create("client", MFD_CLOEXEC);
	if (pieces[0].fd < 0 || ftruncate(pieces[0].fd, (off_t)size))
		abort();
	pieces[0].offset = 0;
	pieces[0].size = size;
	*count = 1;
	return NV_OK;
}

static void alloc_own(struct input *in)
{
	NVOS32_PARAMETERS p = { .hRoot = client,
				.hObjectParent = take(in) % 16 ? DEVICE : a_handle(in),
				.function = NVOS32_FUNCTION_ALLOC_OS_DESCRIPTOR };

	p.data.AllocOsDesc.hMemory = FIRST + take(in) % OBJECTS;
	p.data.AllocOsDesc.descriptor = (NvP64)an_address(in);
	p.data.AllocOsDesc.limit = a_size(in) - 1;
	p.data.AllocOsDesc.attr = bits(in);
	p.data.AllocOsDesc.attr2 = bits(in);
	p.data.AllocOsDesc.descriptorType = take(in) % 4 ? 0 : take(in);
	host_ioctl(files[0], NV_ESC_RM_VID_HEAP_CONTROL, &p, sizeof(p));
}

static void dup_object(struct input *in)
{
	NVOS55_PARAMETERS p = { .hClient = client,
				.hParent = DEVICE,
				.hObject = FIRST + take(in) % OBJECTS,
				.hClientSrc = client,
				.hObjectSrc = one_of(in, &memories) };

	host_ioctl(files[0], NV_ESC_RM_DUP_OBJECT, &p, sizeof(p));
}

/* Gives memory to a file, or takes from one what it stands for. */
static void exchange(struct input *in)
{
	NV0000_CTRL_OS_UNIX_EXPORT_OBJECT object = { .type = take(in) % 8 ? 1 : take(in) };
	s32 fd = take(in) % 8 ? files[3] : files[1 + take(in) % (FILES - 1)];

	object.data.rmObject.hDevice = take(in) % 8 ? DEVICE : a_handle(in);
	object.data.rmObject.hParent = take(in) % 8 ? DEVICE : a_handle(in);
	if (take(in) % 2) {
		NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TO_FD_PARAMS p = { .object = object, .fd = fd };

		p.object.data.rmObject.hObject = one_of(in, &memories);
		p.flags = take(in) % 16 ? 0 : take(in);
		host_control(files[0], client, client, NV0000_CTRL_CMD_OS_UNIX_EXPORT_OBJECT_TO_FD,
			     &p, sizeof(p));
	} else {
		NV0000_CTRL_OS_UNIX_IMPORT_OBJECT_FROM_FD_PARAMS p = { .object = object, .fd = fd };

		p.object.data.rmObject.hObject = take(in) % 4 ? FIRST + take(in) % OBJECTS : 0;
		if (host_control(files[0], client, client,
				 NV0000_CTRL_CMD_OS_UNIX_IMPORT_OBJECT_FROM_FD, &p,
				 sizeof(p)) == NV_OK)
			keep_handle(&memories, p.object.data.rmObject.hObject);
	}
}

static void reopen(struct input *in)
{
	u32 i = 1 + take(in) % (FILES - 1);

	os_user_fail_alloc_thread(0); /* it has to open again */
	host_close(files[i]);
	files[i] = host_open(i == 3 ? RM_NODE_CONTROL : RM_NODE_GPU, 0);
}

static void run(struct input *in)
{
	while (in->size) {
		switch (take(in) % 18) {
		case 16:
			alloc_list(in);
			break;
		case 17:
			alloc_context_dma(in);
			break;
		case 0:
		case 1:
		case 2:
			alloc_memory(in);
			break;
		case 3:
			alloc_space(in);
			break;
		case 4:
		case 5:
			map_dma(in);
			break;
		case 6:
			unmap_dma(in);
			break;
		case 7:
			map_cpu(in);
			break;
		case 8:
			unmap_cpu(in);
			break;
		case 9:
		case 10:
			use_mapping(in);
			break;
		case 11:
			alloc_own(in);
			break;
		case 12:
			if (take(in) % 2)
				dup_object(in);
			else
				exchange(in);
			break;
		case 13:
			reopen(in);
			break;
		case 14:
			os_user_fail_alloc_thread(take(in) % 16);
			break;
		default:
			host_free(files[0], client, FIRST + take(in) % OBJECTS);
			break;
		}
	}
}

static void start(void)
{
	static const struct os_user_pin_ops ops = { pin };
	u32 i;

	host_start(1);
	for (i = 0; i < FILES; i++)
		files[i] = host_open(i % 3 ? RM_NODE_GPU : RM_NODE_CONTROL, 0);
	os_user_set_pin_ops(&ops, NULL);
	os_user_log_set_levels(OS_LOG_ERROR, OS_LOG_ERROR);
	started = true;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	NV0080_ALLOC_PARAMETERS d = { .deviceId = 0 };
	struct rm_statistics left;
	u32 device = DEVICE, i;

	if (!started)
		start();
	client = host_client(files[0]);
	if (host_alloc(files[0], client, client, &device, NV01_DEVICE_0, &d, 0) != NV_OK)
		abort();
	address_count = 0;
	memories.count = 0;
	ranges.count = 0;
	spaces.count = 0;
	run(&in);
	os_user_fail_alloc_thread(0);
	for (i = 0; i < MAPPINGS; i++) {
		if (mappings[i])
			rm_mapping_put(mappings[i]);
		mappings[i] = NULL;
	}
	host_free(files[0], client, client);
	for (i = 1; i < FILES; i++) {
		host_close(files[i]);
		files[i] = host_open(i == 3 ? RM_NODE_CONTROL : RM_NODE_GPU, 0);
	}
	rm_statistics(host.rm, &left);
	if (left.video_memory || left.clients || left.objects)
		abort();
	return 0;
}
