// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * libFuzzer target: a hostile program at the device nodes. The input is a list of commands, each a
 * number, a size, a file and bytes; handles, descriptors and pointers in the bytes are often made
 * good ones, so that the fuzzer gets behind the first checks.
 *
 *   operation: kind, file, number index, size selector, seed, then bytes of the structure
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/r535.h"
#include "abi/tables.h"
#include "os/user/user.h"
#include "rm/rm.h"

#define FILES 4
#define HANDLES 16
#define STRUCTURE 4096
#define REQUEST(number, size) (3u << 30 | (u32)((size)&0x3fff) << 16 | 'F' << 8 | (u8)(number))

static const u8 numbers[] = {
	NV_ESC_CARD_INFO,	    NV_ESC_REGISTER_FD,
	NV_ESC_ALLOC_OS_EVENT,	    NV_ESC_FREE_OS_EVENT,
	NV_ESC_STATUS_CODE,	    NV_ESC_CHECK_VERSION_STR,
	NV_ESC_IOCTL_XFER_CMD,	    NV_ESC_ATTACH_GPUS_TO_FD,
	NV_ESC_QUERY_DEVICE_INTR,   NV_ESC_SYS_PARAMS,
	NV_ESC_NUMA_INFO,	    NV_ESC_SET_NUMA_STATUS,
	NV_ESC_EXPORT_TO_DMABUF_FD, NV_ESC_RM_ALLOC_MEMORY,
	NV_ESC_RM_ALLOC_OBJECT,	    NV_ESC_RM_FREE,
	NV_ESC_RM_CONTROL,	    NV_ESC_RM_ALLOC,
	NV_ESC_RM_DUP_OBJECT,	    NV_ESC_RM_SHARE,
	NV_ESC_RM_I2C_ACCESS,	    NV_ESC_RM_IDLE_CHANNELS,
	NV_ESC_RM_VID_HEAP_CONTROL, NV_ESC_RM_ACCESS_REGISTRY,
	NV_ESC_RM_MAP_MEMORY,	    NV_ESC_RM_UNMAP_MEMORY,
	NV_ESC_RM_GET_EVENT_DATA,   NV_ESC_RM_ALLOC_CONTEXT_DMA2,
	NV_ESC_RM_MAP_MEMORY_DMA,   NV_ESC_RM_UNMAP_MEMORY_DMA,
	NV_ESC_RM_BIND_CONTEXT_DMA, NV_ESC_RM_UPDATE_DEVICE_MAPPING_INFO,
	NV_ESC_RM_NVLOG_CTRL,	    NV_ESC_RM_ALLOC,
	NV_ESC_RM_CONTROL,
};

#define INPUTS_AN_INSTANCE 200u

static struct rm *rm;
static u32 inputs;
static struct {
	struct rm_file *file;
	u32 references;
} files[FILES];
static u32 handles[HANDLES]; /* that commands wrote back or the fuzzer made up */
static u32 handle_count;
/* What pointers may point at, whole and near its end. */
static u8 memory[STRUCTURE * 2];

static struct rm_file *file_get(s32 fd)
{
	if (fd < 0 || fd >= FILES || !files[fd].file)
		return NULL;
	files[fd].references++;
	return files[fd].file;
}

static void file_put(struct rm_file *file)
{
	u32 i;

	for (i = 0; i < FILES; i++) {
		if (files[i].file == file && --files[i].references == 0) {
			files[i].file = NULL;
			rm_file_close(file);
			return;
		}
	}
}

static const struct rm_host_ops host_ops = { .file_get = file_get, .file_put = file_put };

static void open_file(u32 i)
{
	static const struct {
		enum rm_node node;
		u32 minor;
	} nodes[FILES] = { { RM_NODE_CONTROL, 0 },
			   { RM_NODE_CONTROL, 0 },
			   { RM_NODE_CAP, 1 },
			   { RM_NODE_CAP, 2 } };

	if (!files[i].file &&
	    rm_file_open(rm, nodes[i].node, nodes[i].minor, &files[i], &files[i].file) == NV_OK)
		files[i].references = 1;
}

struct input {
	const u8 *data;
	size_t size;
};

static u32 take(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

static void put32(u8 *at, u32 value)
{
	memcpy(at, &value, sizeof(value));
}

static void put64(u8 *at, u64 value)
{
	memcpy(at, &value, sizeof(value));
}

static u64 a_pointer(u32 choice)
{
	switch (choice % 4) {
	case 0:
		return 0;
	case 1:
		return (u64)(uintptr_t)memory;
	case 2:
		return (u64)(uintptr_t)(memory + sizeof(memory) - 1 - choice);
	default:
		return 0x1000 + choice;
	}
}

static u32 a_class_or_command(struct input *in, u32 offset)
{
	u32 choice = take(in) << 8 | take(in);

	if (offset == 8 && abi_control_by_index(choice % ABI_CONTROL_COUNT))
		return abi_control_by_index(choice % ABI_CONTROL_COUNT)->cmd;
	return abi_class_by_index(choice % ABI_CLASS_COUNT)->class_id;
}

/* Words of the structure made plausible, as long as the input says so. */
static void season(struct input *in, u8 *data, u32 size)
{
	u32 count = take(in) % 12, offset;

	while (count-- && size >= 4) {
		u32 kind = take(in);

		offset = (take(in) * 4u) % size & ~3u;
		switch (kind % 5) {
		case 0:
			if (handle_count && offset + 4 <= size)
				put32(data + offset, handles[kind % handle_count]);
			break;
		case 1:
			offset &= ~7u;
			if (offset + 8 <= size)
				put64(data + offset, a_pointer(kind / 5));
			break;
		case 2:
			if (offset + 4 <= size)
				put32(data + offset, a_class_or_command(in, offset));
			break;
		case 3:
			if (offset + 4 <= size)
				put32(data + offset, kind / 5 % (FILES + 1));
			break;
		default:
			if (offset + 4 <= size)
				put32(data + offset, kind & 1 ? ~0u : kind / 5);
		}
	}
}

static u32 usual_size(u32 number, u32 choice)
{
	const struct abi_escape *escape = abi_escape_find(number);

	if (choice % 8 == 7 || !escape || !escape->params)
		return choice * 16u % STRUCTURE;
	if (number == NV_ESC_RM_ALLOC)
		return choice & 1 ? sizeof(NVOS21_PARAMETERS) : sizeof(NVOS64_PARAMETERS);
	return escape->params->size % STRUCTURE;
}

/* A control with the size that the table has, which few inputs would find by chance. */
static void complete_control(u8 *data)
{
	NVOS54_PARAMETERS *p = (NVOS54_PARAMETERS *)data;
	const struct abi_control *control = abi_control_find(p->cmd);

	if (!control)
		return;
	p->paramsSize = control->params_size;
	p->params = control->params_size && control->params_size <= sizeof(memory)
			    ? (u64)(uintptr_t)memory
			    : 0;
}

static void remember(u32 number, const u8 *data)
{
	const NVOS21_PARAMETERS *p = (const NVOS21_PARAMETERS *)data;

	if (number == NV_ESC_RM_ALLOC && p->hObjectNew)
		handles[handle_count++ % HANDLES] = p->hObjectNew;
	if (handle_count > HANDLES)
		handle_count = HANDLES;
}

static void command(struct input *in)
{
	static u8 data[STRUCTURE] __attribute__((aligned(8)));
	u32 file = take(in) % FILES, choice = take(in), number, size, i, filled;

	number = choice == 255 ? take(in) : numbers[choice % sizeof(numbers)];
	size = usual_size(number, take(in));
	memset(data, 0, sizeof(data));
	filled = take(in) % 64;
	for (i = 0; i < filled && i < size; i++)
		data[i] = (u8)take(in);
	season(in, data, size);
	if (number == NV_ESC_RM_CONTROL && take(in) % 4)
		complete_control(data);
	if (!files[file].file)
		return;
	rm_ioctl(files[file].file, REQUEST(number, size),
		 take(in) % 16 == 15 ? 0x10 : (u64)(uintptr_t)data);
	remember(number, data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct rm_config config = { .host = &host_ops };
	struct input in = { bytes, size };
	u32 i;

	os_user_log_set_levels(OS_LOG_ERROR, OS_LOG_ERROR);
	/* An instance is large: one serves many inputs, as it does many programs. */
	if (!rm && rm_create(&config, &rm) != NV_OK)
		abort();
	handle_count = 0;
	memset(memory, 0x41, sizeof(memory));
	for (i = 0; i < FILES; i++)
		open_file(i);
	while (in.size) {
		u32 kind = take(&in);

		i = kind / 16 % FILES;
		if (kind % 16 == 15 && files[i].file && files[i].references == 1) {
			file_put(files[i].file);
			open_file(i);
		} else if (kind % 16 == 14 && files[i].file) {
			rm_file_poll(files[i].file);
		} else {
			command(&in);
		}
	}
	/* Files that others act for go last. */
	for (i = FILES; i-- > 0;) {
		if (files[i].file)
			file_put(files[i].file);
	}
	for (i = 0; i < FILES; i++) {
		if (files[i].file)
			abort();
	}
	if (++inputs % INPUTS_AN_INSTANCE == 0) {
		rm_destroy(rm);
		rm = NULL;
	}
	return 0;
}
