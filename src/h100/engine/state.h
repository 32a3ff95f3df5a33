/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The condition of one GPU: everything that tools show and that is not in its profile. It is a
 * model, moved on by the time that passes and the work that engines report:
 *
 *   engines, DMA --busy time, bytes--> utilisation --> clocks --> power --> temperature
 *   tools -----------limits, locks, modes------^----------^          |          |
 *   scenario ---------held values, errors------^----------^----------^----------^
 *
 * All plain fields belong to whoever runs the firmware (gsp/gpu.h), one thread at a time: there is
 * no lock. Only the accounting functions (h100_state_account_*) may be called beside it, in any
 * context, by register accesses and engines.
 *
 * Units are in the names; a "percent" is 0 .. 100. Times are those of h100_host.now_ns, which a
 * test may drive by hand: the model is a function of the calls and their times alone.
 */
#ifndef H100_ENGINE_STATE_H
#define H100_ENGINE_STATE_H

#include "abi/status.h"
#include "base/types.h"
#include "h100/engine/profile.h"
#include "h100/engine/scenario.h"
#include "os/os.h"

enum h100_engine {
	H100_ENGINE_GRAPHICS,
	H100_ENGINE_MEMORY, /* the memory interface: time that it moved data */
	H100_ENGINE_COPY,
	H100_ENGINE_DECODER,
	H100_ENGINE_ENCODER,
	H100_ENGINE_JPEG,
	H100_ENGINE_OFA,
	H100_ENGINE_COUNT,
};

enum h100_clock {
	H100_CLOCK_GRAPHICS,
	H100_CLOCK_SM,
	H100_CLOCK_MEMORY,
	H100_CLOCK_VIDEO,
	H100_CLOCK_COUNT,
};

/* Why clocks are lower than work would have them; bits. */
enum h100_slowdown {
	H100_SLOWDOWN_IDLE = 1u << 0,
	H100_SLOWDOWN_APPLICATION_CLOCKS = 1u << 1,
	H100_SLOWDOWN_POWER_CAP = 1u << 2,
	H100_SLOWDOWN_HARDWARE = 1u << 3,
	H100_SLOWDOWN_SYNC_BOOST = 1u << 4,
	H100_SLOWDOWN_THERMAL_SOFTWARE = 1u << 5,
	H100_SLOWDOWN_THERMAL_HARDWARE = 1u << 6,
	H100_SLOWDOWN_POWER_BRAKE = 1u << 7,
	H100_SLOWDOWN_COUNT = 8,
};

enum h100_compute_mode {
	H100_COMPUTE_DEFAULT,
	H100_COMPUTE_EXCLUSIVE_THREAD,
	H100_COMPUTE_PROHIBITED,
	H100_COMPUTE_EXCLUSIVE_PROCESS,
};

/* Who asks for clocks above or below those of the rated power, highest priority first; and what. */
#define H100_RATED_TDP_CLIENTS 5u
enum h100_rated_tdp {
	H100_RATED_TDP_DEFAULT,
	H100_RATED_TDP_EXCEED,
	H100_RATED_TDP_LIMIT,
	H100_RATED_TDP_LOCK,
	H100_RATED_TDP_FLOOR,
	H100_RATED_TDP_COUNT,
};

/* Where an ECC error can be. */
enum h100_ecc_unit {
	H100_ECC_DRAM,
	H100_ECC_L2,
	H100_ECC_L1,
	H100_ECC_REGISTER_FILE,
	H100_ECC_SHARED_MEMORY,
	H100_ECC_TEXTURE,
	H100_ECC_CBU,
	H100_ECC_SRAM, /* all others */
	H100_ECC_UNIT_COUNT,
};

struct h100_ecc_counts {
	u64 corrected;
	u64 uncorrected;
};

/* Recent work is kept by the tenth of a second: ten of them make the figures that tools show. */
#define H100_BUSY_SLOTS 16u
#define H100_BUSY_SLOT_NS 100000000ull

/* Utilisation for monitoring tools: the last 14 seconds, five times a second. */
#define H100_SAMPLES 72u
#define H100_SAMPLE_NS 200000000ull
struct h100_sample {
	u64 end_ns;
	u16 share[H100_ENGINE_COUNT]; /* of H100_SAMPLE_NS, in 1/10000 */
};

#define H100_NVLINK_MAX 18u
#define H100_NVLINK_SWITCH ~0u
struct h100_nvlink {
	bool cabled; /* there is something at the other end: a link without it never comes up */
	bool up;
	u32 remote_gpu;	 /* index of the GPU at the other end, or H100_NVLINK_SWITCH */
	u32 remote_link; /* its link, or the switch's port */
	u64 remote_sid;	 /* what the other end calls itself when the link trains */
	u64 tx_bytes, rx_bytes;
	u64 crc_flit_errors, crc_data_errors, replays, recoveries;
};

/* What the manager of the switches' fabric does with a GPU that asks to take part. */
enum h100_fabric_manager {
	H100_FABRIC_ANSWERS,
	H100_FABRIC_REFUSES,
	H100_FABRIC_SILENT,
};

#define H100_MAX_PROCESSES 256u
struct h100_process {
	u32 pid; /* 0: free entry */
	u32 clients;
	u64 memory_bytes; /* of video memory */
	bool graphics, compute;
};

struct h100_state {
	struct h100_profile profile; /* never changes */
	u32 index, gpu_count;
	u64 start_ns;  /* when it was made */
	u64 update_ns; /* up to when the model has been moved */

	/* Identity, from profile and index */
	char serial[32];
	u8 uuid[16];
	char uuid_text[48];	   /* "GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" */
	char firmware_version[32]; /* of the GSP firmware: what the driver said at boot */

	/* Work, added to in any context (account.c): busy time in all, of late, and the last end
	 * of it */
	u64 busy_ns[H100_ENGINE_COUNT];
	u64 busy_slots[H100_ENGINE_COUNT][H100_BUSY_SLOTS];
	u64 work_ns;
	u64 busy_seen_ns[H100_ENGINE_COUNT]; /* how much of it the model has used */

	struct h100_sample samples[H100_SAMPLES]; /* a ring */
	u64 sample_count; /* since boot: the next goes to it % H100_SAMPLES */
	u64 sampled;	  /* up to when, in H100_SAMPLE_NS */

	/* Clocks */
	u32 pstate; /* 0 .. 15; an H100 has only 0 */
	u32 clock_mhz[H100_CLOCK_COUNT];
	u32 slowdown;			      /* enum h100_slowdown bits */
	u64 slowdown_ns[H100_SLOWDOWN_COUNT]; /* how long each bit of it has been set */
	u32 locked_graphics_mhz[2];	      /* lowest, highest; 0, 0: not locked */
	u32 locked_memory_mhz[2];
	u32 application_graphics_mhz, application_memory_mhz;
	u32 rated_tdp[H100_RATED_TDP_CLIENTS]; /* enum h100_rated_tdp */
	bool power_brake;
	bool on_battery; /* the platform, as the driver said: no clock of an H100 depends on it */

	/* Power and heat */
	u32 power_mw;
	u32 power_limit_mw; /* in force */
	u64 energy_uj;	    /* since the driver booted it */
	double temperature_c, memory_temperature_c;

	/* Values that a scenario holds; UINT32_MAX: none */
	struct {
		u32 temperature_c, memory_temperature_c, power_mw, graphics_mhz;
		u32 utilization_percent[H100_ENGINE_COUNT];
	} held;

	/* Memory */
	u64 memory_allocated_bytes; /* by clients, through the firmware */
	bool ecc_enabled, ecc_pending;
	struct h100_ecc_counts ecc_volatile[H100_ECC_UNIT_COUNT];  /* since boot */
	struct h100_ecc_counts ecc_aggregate[H100_ECC_UNIT_COUNT]; /* of its life */
	u32 remapped_correctable, remapped_uncorrectable; /* rows, for errors of that kind */
	bool remap_pending, remap_failed;
	/* Banks by what is left of their spare rows: all, most, some, few, none */
	u32 remap_histogram[5];

	/* InfoROM */
	bool inforom_valid;
	u32 inforom_checksum;

	/* PCIe, counters added to in any context */
	u32 pcie_generation, pcie_lanes;    /* as trained */
	u64 pcie_tx_bytes, pcie_rx_bytes;   /* GPU to host, host to GPU */
	u64 pcie_slots[2][H100_BUSY_SLOTS]; /* of late: tx, rx */
	u64 pcie_replays, pcie_replay_rollovers, pcie_nak_received, pcie_nak_sent;
	u64 pcie_correctable_errors, pcie_fatal_errors, pcie_nonfatal_errors,
		pcie_unsupported_requests;

	struct h100_nvlink nvlink[H100_NVLINK_MAX];
	u32 nvlink_down;		      /* atomic: links that are cabled and not up */
	u32 off_bus;			      /* atomic */
	u64 nvlink_tx_bytes, nvlink_rx_bytes; /* atomic: not in the links' counters yet */
	enum h100_fabric_manager fabric_manager;
	u64 fabric_probes;   /* how often the GPU has asked to take part since boot */
	bool fabric_waiting; /* for an answer */

	/* Modes */
	u32 compute_mode; /* enum h100_compute_mode */
	bool mig_enabled;

	struct h100_process processes[H100_MAX_PROCESSES];

	struct h100_scenario scenario;
};

/*
 * A GPU fresh from the factory, switched on at now_ns. gpu_count: how many the machine has
 * (NVLink). The state takes the scenario over (its memory included).
 */
void h100_state_init(struct h100_state *state, const struct h100_profile *profile,
		     struct h100_scenario *scenario, u32 index, u32 gpu_count, u64 now_ns);
void h100_state_destroy(struct h100_state *state);

/*
 * Moves the model to now_ns. Due scenario events happen on the way, each at its own
 * time; one that is not the state's to do (h100_state_event) is returned and stops the model there:
 * the caller does it and calls again. NULL: up to date.
 */
const struct h100_event *h100_state_update(struct h100_state *state, u64 now_ns);

/* A driver boots or leaves the firmware: volatile counters, pending modes, held limits.
 */
void h100_state_boot(struct h100_state *state, const char *firmware_version, u64 now_ns);
void h100_state_shutdown(struct h100_state *state, u64 now_ns);

/* -- Accounting, any context ------------------------------------------------------------------- */

/* An engine worked for busy_ns up to now_ns. */
void h100_state_account_busy(struct h100_state *state, enum h100_engine engine, u64 now_ns,
			     u64 busy_ns);
/* Bytes that crossed the link: tx leaves the GPU (DMA writes, read completions). */
void h100_state_account_pcie(struct h100_state *state, u64 now_ns, u64 tx_bytes, u64 rx_bytes);
/* Bytes of peers' memory and of its own for peers, over its links. */
void h100_state_account_nvlink(struct h100_state *state, u64 tx_bytes, u64 rx_bytes);
/* Peers are reached and reach it: there are links, all are up, and the GPU is on the bus. */
bool h100_state_nvlink_ready(const struct h100_state *state);
/* Mean of the last second: percent of the time, and KB/s. A held utilisation is returned instead.
 */
u32 h100_state_utilization(const struct h100_state *state, enum h100_engine engine, u64 now_ns);
u32 h100_state_pcie_tx_kbps(const struct h100_state *state, u64 now_ns);
u32 h100_state_pcie_rx_kbps(const struct h100_state *state, u64 now_ns);

/* Samples up to now_ns, of which held values are those of all that are missing; and anew. */
void h100_state_sample(struct h100_state *state, u64 now_ns);
void h100_state_sample_start(struct h100_state *state, u64 now_ns);

/* -- Work of the firmware ---------------------------------------------------------------------- */

/* Client memory: NV_ERR_NO_MEMORY past what the GPU has free. */
enum nv_status h100_state_memory_take(struct h100_state *state, u32 pid, u64 bytes);
void h100_state_memory_give(struct h100_state *state, u32 pid, u64 bytes);
u64 h100_state_memory_free_bytes(const struct h100_state *state);
u64 h100_state_memory_used_bytes(const struct h100_state *state);

/* A process has one client more or less; NV_ERR_INSUFFICIENT_RESOURCES when the table is full. */
enum nv_status h100_state_process_add(struct h100_state *state, u32 pid);
void h100_state_process_remove(struct h100_state *state, u32 pid);
struct h100_process *h100_state_process_find(struct h100_state *state, u32 pid);

/* -- What tools may set; NV_ERR_INVALID_ARGUMENT outside of what the profile allows ----
 */

enum nv_status h100_state_set_power_limit(struct h100_state *state, u32 limit_mw);
enum nv_status h100_state_set_ecc(struct h100_state *state, bool enable); /* pending until reset */
enum nv_status h100_state_set_compute_mode(struct h100_state *state, u32 mode);
/* Both 0 releases. */
enum nv_status h100_state_lock_graphics_clock(struct h100_state *state, u32 min_mhz, u32 max_mhz);
enum nv_status h100_state_lock_memory_clock(struct h100_state *state, u32 min_mhz, u32 max_mhz);
enum nv_status h100_state_set_application_clocks(struct h100_state *state, u32 memory_mhz,
						 u32 graphics_mhz);
void h100_state_reset_application_clocks(struct h100_state *state);
/* Also for client 0: nobody asks in the place of the driver itself. */
enum nv_status h100_state_set_rated_tdp(struct h100_state *state, u32 client, u32 action);
void h100_state_clear_ecc(struct h100_state *state, bool aggregate);

void h100_state_set_present(struct h100_state *state, bool present); /* on the bus */
void h100_state_set_link(struct h100_state *state, u32 link, bool up);
/* Puts what was accounted into the links' counters: traffic is spread over all. */
void h100_state_count_nvlink(struct h100_state *state);
/* What a GPU of this machine calls itself on its links. Constant. */
u64 h100_state_sid(const struct h100_state *state, u32 index);

/* -- Derived figures ----------------------------------------------------------------------------
 */

u32 h100_state_temperature_c(const struct h100_state *state);
u32 h100_state_memory_temperature_c(const struct h100_state *state);
struct h100_ecc_counts h100_state_ecc_total(const struct h100_ecc_counts *units);
/* An ECC error happens; counts it everywhere, and an uncorrectable one in DRAM remaps a row. */
void h100_state_ecc_error(struct h100_state *state, enum h100_ecc_unit unit, bool uncorrected,
			  u64 count);
/* Spare rows replace bad ones; at most one a bank and kind. */
void h100_state_remap_rows(struct h100_state *state, u32 correctable, u32 uncorrectable);
bool h100_clock_supported(const struct h100_profile *profile, enum h100_clock clock, u32 mhz);

#endif
