# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Every way of calling nvidia-smi: on each profile, and on a machine of 16 GPUs."""
from harness import test
from smi_table import PROFILES

# What is asked, its exit status, and how often the answer names or counts a GPU (0: not by GPU).
CALLS = [
    ((), 0, "00000000:%02X:00.0"),
    (("-L",), 0, "GPU %d: "),
    (("-q",), 0, "GPU 00000000:%02X:00.0"),
    (("-q", "-x"), 0, '<gpu id="00000000:%02X:00.0">'),
    (("-q", "-d", "MEMORY,UTILIZATION,ECC,TEMPERATURE,POWER,CLOCK,COMPUTE,PIDS,PERFORMANCE,SUPPORTED_CLOCKS,"
      "PAGE_RETIREMENT,ACCOUNTING,ENCODER_STATS,VOLTAGE,ROW_REMAPPER,RESET_STATUS,FBC_STATS"), 0,
     "GPU 00000000:%02X:00.0"),
    (("--query-gpu=index,name,pci.bus_id,memory.total", "--format=csv,noheader"), 0, "%d, NVIDIA H"),
    (("--query-compute-apps=pid,name", "--format=csv"), 0, None),
    (("--query-remapped-rows=gpu_bus_id,remapped_rows.correctable", "--format=csv,noheader"), 0,
     "00000000:%02X:00.0, 0"),
    (("dmon", "-c", "1"), 0, "\n%5d "),
    (("pmon", "-c", "1"), 0, "\n%5d "),
    (("topo", "-m"), 0, "GPU%d\t"),
    (("topo", "-p2p", "r"), 0, "GPU%d\t"),
    (("nvlink", "-s"), 0, "GPU %d: NVIDIA H"),
    (("nvlink", "-c"), 0, "GPU %d: NVIDIA H"),
    (("nvlink", "-e"), 0, "GPU %d: NVIDIA H"),
    (("mig", "-lgi"), 6, None),
    (("drain", "-q", "-p", "0000:01:00.0"), 0, None),
    (("vgpu",), 0, None),
    (("conf-compute", "-f"), 0, None),
    (("conf-compute", "-gm"), 0, "GPU %d: NVIDIA H"),
    (("-pm", "1"), 0, "00000000:%02X:00.0"),
    (("-c", "3"), 0, "00000000:%02X:00.0"),
    (("-lgc", "500,1000"), 0, "00000000:%02X:00.0"),
]


def check(m, gpus, profile):
    for words, rc, name in CALLS:
        out = m.smi(*words, rc=rc, gpus=gpus, profile=profile)
        assert out.strip(), (words, profile)
        # Numbers from 0, buses from 1.
        missing = [i for i in range(gpus) if name and name % (i + ("%02X" in name)) not in out]
        assert not missing, "%s on %s: no GPU %r in\n%s" % (words, profile, missing, out[:3000])


@test(full=True)
def every_call_on_every_profile(m):
    for profile in PROFILES:
        check(m, 2, profile)


@test(full=True)
def every_call_on_16_gpus(m):
    for profile in PROFILES:
        check(m, 16, profile)
