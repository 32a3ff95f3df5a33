# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""nvidia-smi's other tools: dmon, pmon, topo, nvlink, mig, conf-compute, settings and reset."""
import re

from harness import skip, test
from smi_table import PROFILES


@test
def dmon_shows_samples(m):
    out = m.smi("dmon", "-c", "2", scenario="temperature gpu0 66\npower gpu0 300W\nutilization gpu0 25\n")
    lines = [line.split() for line in out.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) == 2, out
    header = [line for line in out.splitlines() if line.startswith("#")][0].lstrip("# ").split()
    sample = dict(zip(header, lines[0]))
    assert sample["gpu"] == "0" and sample["pwr"] == "300" and sample["gtemp"] == "66", sample
    assert sample["sm"] == "25", sample
    assert sample["mclk"].isdigit() and sample["pclk"].isdigit(), sample


@test
def pmon_shows_no_process(m):
    out = m.smi("pmon", "-c", "1")
    (line,) = [x for x in out.splitlines() if x.strip() and not x.startswith("#")]
    assert line.split()[:3] == ["0", "-", "-"], out


@test
def topology_of_eight(m):
    out = m.smi("topo", "-m", gpus=8)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
    header = plain.splitlines()[0].split()
    assert header[:8] == ["GPU%d" % i for i in range(8)], plain
    links = m.profile().number("nvlink_count")
    for i in range(8):
        row = [x for x in plain.splitlines() if re.match(r"GPU%d\s" % i, x)][0].split()
        assert row[1 + i] == "X", plain
        assert all(c == "NV%d" % links for n, c in enumerate(row[1:9]) if n != i), plain


@test
def peer_matrix(m):
    for what in ("r", "w", "n", "a"):
        out = re.sub(r"\x1b\[[0-9;]*m", "", m.smi("topo", "-p2p", what, gpus=2))
        row = [x for x in out.splitlines() if re.match(r"\s*GPU0\s+X\s", x)]
        assert row and row[0].split()[2] == "OK", out


@test
def nvlink_status_lists_links(m):
    profile = m.profile()
    out = m.smi("nvlink", "-s", gpus=2)
    links = re.findall(r"Link (\d+): ([\d.]+) GB/s", out)
    count = profile.number("nvlink_count")
    assert [int(n) for n, _ in links] == list(range(count)) * 2, out
    assert {speed for _, speed in links} == {"26.562"}, out
    down = m.smi("nvlink", "-s", scenario="nvlink-down gpu0 3\n")
    assert re.search(r"Link 3: <inactive>", down), down


@test
def mig_profiles(m):
    """With MIG off nvidia-smi lists none and says so."""
    out = m.smi("mig", "-lgip", rc=None)
    assert "No MIG-enabled devices found." in out, out


@test
def confidential_compute_is_off(m):
    told = {
        "-f": "CC status: OFF",
        "-gc": "CPU CC capabilities: None",
        "-gg": "GPU CC capabilities: CC Capable",
        "-e": "CC Environment: UNAVAILABLE",
        "-d": "DevTools Mode: OFF",
        "-grs": "Confidential Compute GPUs Ready state: not-ready",
    }
    for option, line in told.items():
        out = m.smi("conf-compute", option)
        assert out.strip() == line, (option, out)


@test
def confidential_compute_splits_no_memory(m):
    """All of the heap is unprotected: the profile's memory but for what the firmware keeps of it."""
    for name in PROFILES:
        profile = m.profile(name)
        out = m.smi("conf-compute", "-gm", profile=name)
        assert "GPU 0: %s (UUID: GPU-" % profile["name"] in out, out
        (protected,) = re.findall(r"^Protected memory size: +(\d+) KiB$", out, re.M)
        (unprotected,) = re.findall(r"^Unprotected memory size: +(\d+) KiB$", out, re.M)
        kept = profile.number("memory") * 1024 - int(unprotected)
        assert int(protected) == 0, out
        assert 0 < kept <= profile.number("memory_reserved") * 1024, out


@test
def confidential_compute_is_on(m):
    told = {
        "-f": "CC status: ON",
        "-gc": "CPU CC capabilities: INTEL TDX",
        "-gg": "GPU CC capabilities: CC Capable",
        "-e": "CC Environment: INTERNAL",
        "-d": "DevTools Mode: OFF",
        "-grs": "Confidential Compute GPUs Ready state: not-ready",
    }
    for option, line in told.items():
        out = m.smi("conf-compute", option, cc="on", gpus=2)
        assert out.strip() == line, (option, out)
    assert m.smi("conf-compute", "-gc", cc="on", tee="sev-snp").strip() == "CPU CC capabilities: AMD SEV"


@test
def confidential_compute_devtools(m):
    assert m.smi("conf-compute", "-d", cc="devtools").strip() == "DevTools Mode: ON"
    assert m.smi("conf-compute", "-grs", cc="devtools").strip() == "Confidential Compute GPUs Ready state: ready"


@test
def confidential_compute_protects_all_memory(m):
    profile = m.profile()
    out = m.smi("conf-compute", "-gm", cc="on")
    (protected,) = re.findall(r"^Protected memory size: +(\d+) KiB$", out, re.M)
    (unprotected,) = re.findall(r"^Unprotected memory size: +(\d+) KiB$", out, re.M)
    kept = profile.number("memory") * 1024 - int(protected)
    assert int(unprotected) == 0 and 0 < kept <= profile.number("memory_reserved") * 1024, out
    out = m.smi("-q", "-d", "MEMORY", cc="on")
    (total,) = re.findall(r"Conf Compute Protected Memory Usage\n +Total +: (\d+) MiB", out)
    assert int(total) == int(protected) // 1024, out


@test
def confidential_compute_gpus_are_set_ready(m):
    if not m.nvidia:
        skip("NVIDIA's user space is not there")
    script = '"$0" -pm 1 && "$0" conf-compute -srs 1 && "$0" conf-compute -grs && "$0" conf-compute -srs 0 && "$0" conf-compute -grs'
    out = m.run(["sh", "-c", script, m.smi_path], cc="on").out
    states = re.findall(r"GPUs Ready state: (\S+)", out)
    assert states == ["ready", "not-ready"], out


@test
def confidential_compute_shows_the_table(m):
    out = m.smi(cc="on", gpus=2)
    assert len(re.findall(r"NVIDIA H100", out)) == 2, out


@test
def confidential_compute_needs_a_protecting_cpu(m):
    if not m.nvidia:
        skip("NVIDIA's user space is not there")
    result = m.run([m.smi_path], cc="on", tee="none")
    assert result.rc != 0 and "No devices were found" in result.out, result


@test
def persistence_mode_is_set(m):
    assert "Enabled persistence mode for GPU 00000000:01:00.0." in m.smi("-pm", "1")
    assert "Persistence mode is already Disabled for GPU 00000000:01:00.0." in m.smi("-pm", "0")


@test
def graphics_clocks_are_unlocked(m):
    out = m.smi("-rgc")
    assert "All done" in out and "ot supported" not in out, out


@test
def utilization_samples_are_shown(m):
    if not m.nvidia:
        skip("NVIDIA's user space is not there")
    script = '"$0" -pm 1 && sleep 1.5 && "$0" -q -d UTILIZATION'
    out = m.run(["sh", "-c", script, m.smi_path], scenario="utilization 61\nmemory-utilization 30\n").out
    for name, percent in ("GPU", 61), ("Memory", 30), ("ENC", 0), ("DEC", 0):
        section = out.split(name + " Utilization Samples")[1].split("Utilization Samples")[0]
        assert int(section.split("Number of Samples")[1].split()[1]) >= 5, out
        assert section.split("Avg")[1].split()[1:3] == [str(percent), "%"], out


@test
def pcie_link_trains_down(m):
    out = m.smi("--query-gpu=pcie.link.gen.current,pcie.link.width.current,pcie.link.gen.max,pcie.link.width.max",
                "--format=csv,noheader", scenario="pcie-link 3 8\n")
    assert out.strip() == "3, 8, 5, 16", out


@test
def settings_are_refused_to_others(m):
    refusals = {
        ("-pm", "1"): "Unable to set persistence mode for GPU 00000000:01:00.0: Insufficient Permissions",
        ("-pl", "500"): "Failed to set power management limit for GPU 00000000:01:00.0: Insufficient Permissions",
        ("-lgc", "500,1000"): "The current user does not have permission to change clocks for GPU 00000000:01:00.0.",
        ("-e", "0"): "Unable to set ECC config for GPU 00000000:01:00.0: Insufficient Permissions",
        ("-r", "-i", "0"): "Unable to reset GPU 00000000:01:00.0: Insufficient Permissions",
    }
    for words, line in refusals.items():
        result = m.smi_as_nobody(*words)
        assert result.rc == 4 and line in result.out, (words, result)


@test
def reset_is_refused(m):
    """A GPU that other clients could hold is not reset behind the driver's back."""
    out = m.smi("-r", "-i", "0", rc=3)
    assert out.strip() == "Resetting GPU 00000000:01:00.0 is not supported.", out
