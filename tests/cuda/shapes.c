// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Copies in two and three dimensions, sets, and copies of 1 GiB. */
#include "client.h"

#include <sys/mman.h>

struct plane_case {
	size_t width, height, host_pitch, device_pitch, x, y;
};

static const struct plane_case planes[] = {
	{ 1, 1, 1, 1, 0, 0 },
	{ 64, 16, 64, 64, 0, 0 },
	{ 100, 7, 131, 257, 3, 2 },
	{ 1000, 33, 1001, 1024, 1, 1 },
	{ 4096, 64, 4099, 8192, 17, 5 },
	{ 3, 1000, 5, 7, 1, 9 },
	{ 65537, 9, 70001, 66049, 11, 0 },
};

/* The rectangle of device memory at x, y of a plane of pitch bytes, copied in; around it nothing
 * changes. */
static void plane_check(const struct plane_case *c, u8 *host, u8 *whole, size_t whole_size,
			cu_pointer device, u32 seed)
{
	struct cu_copy_2d copy = {
		.from = { .kind = CU_HOST, .host = host, .pitch = c->host_pitch },
		.to = { .x = c->x,
			.y = c->y,
			.kind = CU_DEVICE,
			.device = device,
			.pitch = c->device_pitch },
		.width = c->width,
		.height = c->height,
	};
	size_t host_size = c->host_pitch * c->height;
	u8 *back = calloc(1, host_size);
	struct cu_copy_2d other;

	CHECK(back);
	client_pattern(host, host_size, seed);
	memset(whole, 0xa5, whole_size);
	CU(cuMemcpyHtoD(device, whole, whole_size));
	CU(cuMemcpy2DUnaligned(&copy));
	CU(cuMemcpyDtoH(whole, device, whole_size));
	for (size_t i = 0; i < whole_size; i++) {
		size_t x = i % c->device_pitch, y = i / c->device_pitch;
		bool in = x >= c->x && x < c->x + c->width && y >= c->y && y < c->y + c->height;

		CHECK(whole[i] == (in ? host[(y - c->y) * c->host_pitch + x - c->x] : 0xa5));
	}
	other = copy;
	other.from = copy.to;
	other.to = copy.from;
	other.to.host = back;
	CU(cuMemcpy2D(&other));
	for (size_t y = 0; y < c->height; y++)
		CHECK(!memcmp(back + y * c->host_pitch, host + y * c->host_pitch, c->width));
	for (size_t y = 0; y < c->height; y++)
		for (size_t x = c->width; x < c->host_pitch; x++)
			CHECK(back[y * c->host_pitch + x] == 0);
	free(back);
}

void test_planes(void)
{
	cu_context context = client_context();

	for (u32 pinned = 0; pinned < 2; pinned++) {
		for (size_t i = 0; i < ARRAY_SIZE(planes); i++) {
			const struct plane_case *c = &planes[i];
			size_t whole_size = c->device_pitch * (c->height + c->y + 1);
			u8 *whole = malloc(whole_size);
			cu_pointer device;
			void *host;

			CHECK(whole);
			if (pinned)
				CU(cuMemAllocHost(&host, c->host_pitch * c->height));
			else
				host = malloc(c->host_pitch * c->height);
			CU(cuMemAlloc(&device, whole_size));
			plane_check(c, host, whole, whole_size, device, (u32)i + pinned * 50);
			CU(cuMemFree(device));
			if (pinned)
				CU(cuMemFreeHost(host));
			else
				free(host);
			free(whole);
		}
	}
	CU(cuCtxDestroy(context));
}

static void box_check(size_t width, size_t height, size_t depth, size_t pitch, size_t rows)
{
	size_t size = pitch * rows * depth;
	u8 *host = malloc(size), *back = malloc(size);
	struct cu_copy_3d copy = {
		.from = { .kind = CU_HOST, .host = host, .pitch = pitch, .height = rows },
		.to = { .kind = CU_DEVICE, .pitch = pitch + 3, .height = rows + 1 },
		.width = width,
		.height = height,
		.depth = depth,
	}, other;
	size_t device_size = (pitch + 3) * (rows + 1) * depth;
	u8 *whole = calloc(1, device_size);

	CHECK(host && back && whole);
	client_pattern(host, size, (u32)size);
	CU(cuMemAlloc(&copy.to.device, device_size));
	CU(cuMemcpyHtoD(copy.to.device, whole, device_size));
	CU(cuMemcpy3D(&copy));
	CU(cuMemcpyDtoH(whole, copy.to.device, device_size));
	for (size_t i = 0; i < device_size; i++) {
		size_t x = i % copy.to.pitch, y = i / copy.to.pitch % copy.to.height;
		size_t z = i / copy.to.pitch / copy.to.height;

		CHECK(whole[i] == (x < width && y < height ? host[(z * rows + y) * pitch + x] : 0));
	}
	other = copy;
	other.from = copy.to;
	other.to = copy.from;
	other.to.host = back;
	memset(back, 0, size);
	CU(cuMemcpy3D(&other));
	for (size_t i = 0; i < size; i++) {
		bool in = i % pitch < width && i / pitch % rows < height;

		CHECK(back[i] == (in ? host[i] : 0));
	}
	CU(cuMemFree(copy.to.device));
	free(host);
	free(back);
	free(whole);
}

void test_boxes(void)
{
	cu_context context = client_context();

	box_check(1, 1, 1, 1, 1);
	box_check(17, 5, 3, 19, 6);
	box_check(256, 16, 8, 256, 16);
	box_check(1001, 13, 7, 1013, 17);
	CU(cuCtxDestroy(context));
}

/* What needs no kernel: up to 4 KiB. */
void test_sets(void)
{
	static const size_t counts[] = { 1, 2, 3, 5, 64, 255, 1024 };
	cu_context context = client_context();
	u8 back[KIB(4) + 64];
	cu_pointer device;
	cu_stream stream;

	CU(cuStreamCreate(&stream, 0));
	CU(cuMemAlloc(&device, sizeof(back)));
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		size_t n = counts[i];

		memset(back, 0, sizeof(back));
		CU(cuMemcpyHtoD(device, back, sizeof(back)));
		CU(cuMemsetD8(device + 1, 0x5a, n));
		CU(cuMemcpyDtoH(back, device, sizeof(back)));
		for (size_t j = 0; j < sizeof(back); j++)
			CHECK(back[j] == (j >= 1 && j < 1 + n ? 0x5a : 0));
		CU(cuMemsetD16(device + 2, 0x1234, n));
		CU(cuMemcpyDtoH(back, device, sizeof(back)));
		for (size_t j = 0; j < n; j++)
			CHECK(back[2 + 2 * j] == 0x34 && back[3 + 2 * j] == 0x12);
		CU(cuMemsetD32(device + 4, 0x89abcdef, n));
		CU(cuMemcpyDtoH(back, device, sizeof(back)));
		for (size_t j = 0; j < n; j++) {
			u32 word;

			memcpy(&word, back + 4 + 4 * j, 4);
			CHECK(word == 0x89abcdef);
		}
		CHECK(back[4 + 4 * n] == 0 || n < 4);
		CU(cuMemsetD8Async(device, 0x77, n, stream));
		CU(cuStreamSynchronize(stream));
		CU(cuMemcpyDtoH(back, device, sizeof(back)));
		CHECK(back[0] == 0x77 && back[n - 1] == 0x77 && back[n] != 0x77);
	}
	CU(cuStreamDestroy(stream));
	CU(cuMemFree(device));
	CU(cuCtxDestroy(context));
}

/* One copy of 1 GiB at odd offsets on both sides, pageable, then registered. */
void test_large(void)
{
	size_t size = GIB(1), room = size + MIB(2);
	cu_context context = client_context();
	u8 *there, *back;
	cu_pointer device;
	double start;

	there = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	back = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(there != MAP_FAILED && back != MAP_FAILED);
	CU(cuMemAlloc(&device, room));
	client_pattern(there, room, 99);
	for (u32 registered = 0; registered < 2; registered++) {
		if (registered) {
			CU(cuMemHostRegister(there, room, 0));
			CU(cuMemHostRegister(back, room, 0));
		}
		memset(back, 0, room);
		start = client_now();
		CU(cuMemcpyHtoD(device + 13, there + 5, size));
		CU(cuMemcpyDtoH(back + 7, device + 13, size));
		printf("1 GiB there and back, %s, odd offsets: %.2f s\n",
		       registered ? "registered" : "pageable", client_now() - start);
		CHECK(memcmp(back + 7, there + 5, size) == 0);
		CHECK(back[6] == 0 && back[7 + size] == 0);
		if (registered) {
			CU(cuMemHostUnregister(there));
			CU(cuMemHostUnregister(back));
		}
	}
	CU(cuMemFree(device));
	CU(cuCtxDestroy(context));
}
