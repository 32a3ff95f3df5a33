// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Unified memory's encrypted copies, in blocks of 2 MiB, against the AES-GCM that they cannot do
 * without: every byte is encrypted once and decrypted once, which the CPU and the copy engine do at
 * the same time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "os/crypto.h"
#include "rm_host.h"
#include "uvm/internal.h"
#include "uvm/secret.h"

#define BYTES MIB(64)
#define BLOCK MIB(2)
#define PIECE KIB(64)
#define ROUNDS 7u

static const struct uvm_host_ops ops;
static struct uvm *uvm;
static struct rm_gpu *gpu;
static struct uvm_device *device;
static struct rm_uvm_video *video;
static u64 video_at;
static u8 *plain, *other;

static void open_gpu(void)
{
	NV2080_CTRL_GPU_GET_GID_INFO_PARAMS gid = { .flags = 2 /* binary SHA-1 */ };
	struct uvm_config config = { .rm = host.rm, .host = &ops };
	struct rm_uvm_gpu_info info;
	NvProcessorUuid uuid;

	machine_control(NV2080_CTRL_CMD_GPU_GET_GID_INFO, &gid, sizeof(gid));
	memcpy(uuid.uuid, gid.data, sizeof(uuid.uuid));
	machine_must(uvm_create(&config, &uvm) == NV_OK, "uvm");
	machine_must(rm_uvm_gpu_get(host.rm, &uuid, &gpu, &info) == NV_OK, "GPU");
	machine_must(uvm_device_get(uvm, gpu, &info, &device) == NV_OK, "device");
	machine_must(rm_uvm_video_alloc(gpu, BYTES, BLOCK, &video, &video_at) == NV_OK, "memory");
}

static void close_gpu(void)
{
	rm_uvm_video_free(video);
	uvm_device_put(device);
	rm_uvm_gpu_put(gpu);
	uvm_destroy(uvm);
}

static double copy_ns(bool up)
{
	double start = machine_now();
	u64 at;

	for (at = 0; at < BYTES; at += BLOCK) {
		enum nv_status status =
			up ? uvm_encrypted_memcopy_to_gpu(device, video_at + at, plain + at, BLOCK,
							  NULL)
			   : uvm_encrypted_memcopy_from_gpu(device, other + at, video_at + at,
							    BLOCK, NULL);

		machine_must(status == NV_OK, "copy");
	}
	return machine_now() - start;
}

/* The same bytes by one thread, a piece at a time, into one place and out of it. */
static double cipher_ns(struct os_gcm *gcm)
{
	static u8 text[PIECE];
	u8 iv[OS_GCM_IV_SIZE] = { 0 }, tag[OS_GCM_TAG_SIZE];
	double start = machine_now();
	u64 at;

	for (at = 0; at < BYTES; at += PIECE) {
		memcpy(iv, &at, sizeof(at));
		machine_must(os_gcm_encrypt(gcm, iv, NULL, 0, plain + at, PIECE, text, tag) ==
				     NV_OK,
			     "AES-GCM");
		machine_must(os_gcm_decrypt(gcm, iv, NULL, 0, text, PIECE, other + at, tag) ==
				     NV_OK,
			     "AES-GCM");
	}
	return machine_now() - start;
}

int main(void)
{
	const u8 key[OS_GCM_KEY_SIZE] = { 7 };
	struct os_gcm *gcm = os_gcm_create(PIECE);
	double up = 1e18, down = 1e18, cipher = 1e18;
	u64 i;

	plain = aligned_alloc(BLOCK, BYTES);
	other = aligned_alloc(BLOCK, BYTES);
	machine_must(gcm && os_gcm_set_key(gcm, key) == NV_OK && plain && other, "AES-GCM");
	for (i = 0; i < BYTES; i++)
		plain[i] = (u8)(i * 31 + (i >> 12));
	memset(other, 0, BYTES);
	machine_open_cc(true);
	open_gpu();
	for (i = 0; i < ROUNDS; i++) {
		machine_least(&up, copy_ns(true));
		machine_least(&down, copy_ns(false));
		machine_must(memcmp(plain, other, BYTES) == 0, "comparison");
		machine_least(&cipher, cipher_ns(gcm));
	}
	machine_report("encrypted copy to the GPU / AES-GCM there and back", "64 MiB", up / cipher,
		       0.75);
	machine_report("encrypted copy from the GPU / AES-GCM there and back", "64 MiB",
		       down / cipher, 0.75);
	if (getenv("BENCH_TIMES"))
		printf("  %.2f GB/s to the GPU, %.2f from it, %.2f AES-GCM there and back\n",
		       (double)BYTES / up, (double)BYTES / down, (double)BYTES / cipher);
	close_gpu();
	machine_close();
	os_gcm_destroy(gcm);
	free(plain);
	free(other);
	return 0;
}
