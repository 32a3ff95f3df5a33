/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What passes between softh100.ko, which is the GPU's function on a virtual PCI bus, and
 * leafhopper-gpu, the process with its engines and firmware: ioctls, reads and mappings of
 * /dev/softh100. One open file serves one GPU.
 *
 *   driver -- registers, doorbells --> softh100.ko -- work bits (WAIT) --> leafhopper-gpu
 *          <------- MSI-X ------------             <-- registers, interrupts (ioctls) --
 *   system memory <-- dma_map_ops ----             <-- pread, pwrite at the DMA address --
 *   video memory  <-- BAR 2, PRAMIN --             <-- mmap --
 *   client's page <-- faults, stores -- a bell      <-- BELLS, ARM, mmap --
 *   other GPUs' video memory <--------------------- <-- mmap, as far as they are linked --
 *
 * The file's end, by close or by the death of its process, takes the GPU off the bus. A process
 * that attaches afterwards finds the function reset and brings it back.
 */
#ifndef HOST_LINUX_SOFTH100_H
#define HOST_LINUX_SOFTH100_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SOFTH100_DEVICE "/dev/softh100"
#define SOFTH100_VERSION 4u

/*
 * Before ATTACH everything but MACHINE fails with ENOTCONN; once the GPU is out of its slot
 * everything but WAIT fails with ENODEV. A request of no kind is ENOTTY.
 */

/* The mode of a machine's GPUs, confidential or not, by their hardware. */
#define SOFTH100_CC_OFF 0u
#define SOFTH100_CC_ON 1u
#define SOFTH100_CC_DEVTOOLS 2u

/* What the module was loaded with: GPUs and the profile's name. No GPU need be attached. */
struct softh100_machine {
	__u32 version; /* SOFTH100_VERSION */
	__u32 gpus;
	char profile[64]; /* terminated */
	__u32 cc;	  /* SOFTH100_CC_* */
	__u32 reserved;
};

/*
 * Binds the file to GPU index and puts the GPU on the bus. What the profile says, and the mode,
 * must be what the function was made with: EINVAL. EBUSY: another file serves it, or this one
 * serves another. ENODEV: no such GPU. EPROTO: another version.
 */
struct softh100_attach {
	__u32 version;
	__u32 index;
	__u16 vendor_id, device_id, subsystem_vendor_id, subsystem_id;
	__u8 revision, link_generation, link_width, reserved;
	__u32 cc; /* SOFTH100_CC_* */
	__u64 bar_bytes[3];
	__u64 video_bytes;
};

/* Bits of work; those below SOFTH100_WORK_COMMAND are h100/function's H100_WORK_*. */
#define SOFTH100_WORK_COMMAND (1u << 16) /* SOFTH100_COMMAND has one */
#define SOFTH100_WORK_REMOVED (1u << 17) /* the GPU is being taken away: close the file */
#define SOFTH100_WORK_BELLS (1u << 18)	 /* SOFTH100_BELLS has some */
#define SOFTH100_WORK_WOKEN (1u << 19)	 /* by SOFTH100_WAKE */

/* Waits until there is work or timeout_ns have passed (~0: for ever); work is taken. EINTR. */
struct softh100_wait {
	__u64 timeout_ns;
	__u32 work; /* out; 0: time passed */
	__u32 reserved;
};

/* A register that holds a value, as software on the chip sees it. EINVAL: there is none. */
struct softh100_register {
	__u32 offset; /* in BAR 0 */
	__u32 value;
};

/* A packet of FSP's: bytes at data. RECEIVE: size is the space, then what came (0: nothing). */
struct softh100_packet {
	__u64 data; /* user address */
	__u32 size;
	__u32 reserved;
};

/* Tokens that were written to the doorbell register since they were last asked for, each once. */
struct softh100_doorbells {
	__u32 count; /* out; all of tokens: there may be more */
	__u32 reserved;
	__u32 tokens[62]; /* H100_DOORBELLS_AT_ONCE */
};

/*
 * Doorbells that clients have mapped. Each has a number below SOFTH100_BELLS_MAX and a page that
 * its client stores to, which is mapped at SOFTH100_BELLS_OFFSET + number * 4 KiB. A bell that is
 * armed tells of the next touch by a client; one that was touched is not armed any more. A bell is
 * there from its first report on until, after the one that says it is GONE, the process frees it;
 * its page must not be touched before and after.
 */
#define SOFTH100_BELLS_MAX 65536u
#define SOFTH100_BELLS_OFFSET (1ull << 43)
#define SOFTH100_BELL_RUNG (1u << 0) /* touched since it was last armed or reported */
#define SOFTH100_BELL_GONE (1u << 1) /* nobody has it mapped any more */

struct softh100_bell {
	__u32 number;
	__u32 client; /* RM client whose channels it is for */
	__u32 flags;  /* SOFTH100_BELL_* */
	__u32 reserved;
};

/* Reports, each bell once; taken. Where more are left SOFTH100_WORK_BELLS is set again. */
struct softh100_bells {
	__u32 count; /* out */
	__u32 reserved;
	struct softh100_bell bells[32];
};

/*
 * NVLink: the GPUs of a machine reach each other's video memory. At SOFTH100_PEERS_OFFSET(i) a file
 * shows GPU i's while that one is linked; what is stored there otherwise is lost, and what is read
 * is zeroes. The page at SOFTH100_LINKS_OFFSET, one for all GPUs, says which are linked, and counts
 * the bytes that others sent to and received from each, which its process takes.
 */
#define SOFTH100_LINKS_MAX 16u
#define SOFTH100_LINKS_OFFSET (1ull << 42)
#define SOFTH100_PEERS_OFFSET(i) (((__u64)(i) + 1) << 44)

struct softh100_link {
	__u32 linked; /* the module writes it */
	__u32 reserved;
	__u64 sent, received; /* by this GPU; atomic */
	__u64 reserved2[5];
};

struct softh100_links {
	struct softh100_link gpu[SOFTH100_LINKS_MAX];
};

struct softh100_range {
	__u64 start, end; /* equal: none */
};

/*
 * A line for h100_inject that somebody wrote to debugfs. The writer waits for the answer, which is
 * given by SOFTH100_ANSWER with 0 or a positive errno (EINVAL: nobody waits for one, or it is
 * none). SOFTH100_COMMAND is EAGAIN when there is none.
 */
struct softh100_command {
	char text[256]; /* terminated */
};

#define SOFTH100_MACHINE _IOR('H', 0x00, struct softh100_machine)
#define SOFTH100_ATTACH _IOW('H', 0x01, struct softh100_attach)
#define SOFTH100_WAIT _IOWR('H', 0x02, struct softh100_wait)
#define SOFTH100_REGISTER_GET _IOWR('H', 0x03, struct softh100_register)
#define SOFTH100_REGISTER_SET _IOW('H', 0x04, struct softh100_register)
#define SOFTH100_FSP_RECEIVE _IOWR('H', 0x05, struct softh100_packet)
#define SOFTH100_FSP_SEND _IOW('H', 0x06, struct softh100_packet)
#define SOFTH100_FSP_READY _IOW('H', 0x07, __u32)     /* 0 or 1 */
#define SOFTH100_GSP_RUN _IOW('H', 0x08, __u32)	      /* enum h100_gsp_run */
#define SOFTH100_GSP_INTERRUPT _IOW('H', 0x09, __u32) /* bits of IRQSTAT */
#define SOFTH100_RAISE _IOW('H', 0x0a, __u32)	      /* a vector of the interrupt tree */
#define SOFTH100_WPR2 _IOW('H', 0x0b, struct softh100_range)
#define SOFTH100_PRESENT _IOW('H', 0x0c, __u32) /* 0: off the bus; 1: back, as it was */
#define SOFTH100_COMMAND _IOR('H', 0x0d, struct softh100_command)
#define SOFTH100_ANSWER _IOW('H', 0x0e, __u32)
#define SOFTH100_DOORBELLS _IOR('H', 0x0f, struct softh100_doorbells)
#define SOFTH100_BELLS _IOR('H', 0x10, struct softh100_bells)
/* A bell's number. EINVAL: there is no such bell. It may wait for a store that is under way. */
#define SOFTH100_BELL_ARM _IOW('H', 0x11, __u32)
/* EINVAL: there is none, or it is not gone. */
#define SOFTH100_BELL_FREE _IOW('H', 0x12, __u32)
/* A WAIT returns with SOFTH100_WORK_WOKEN: one thread of the process tells another. */
#define SOFTH100_WAKE _IO('H', 0x13)
/* 0 or 1: this GPU's memory is there for the others. A reset of the function, and the end, say 0.
 */
#define SOFTH100_LINKED _IOW('H', 0x14, __u32)

/*
 * pread and pwrite: system memory by its DMA address, of any alignment and size up to 1 MiB; EFAULT
 * when any byte is not mapped for this GPU, or private, or the function is no bus master.
 *
 * mmap (MAP_SHARED): video memory, at offset 0 and up to its size. Sparse: pages appear, zeroed, as
 * they are touched from either side. At SOFTH100_BELLS_OFFSET and up to 256 MiB: pages of bells; a
 * bus error where there is none. The links' page, and other GPUs' video memory: above.
 */

#endif
