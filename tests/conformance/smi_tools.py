# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""nvidia-smi's other tools: dmon, pmon, topo, nvlink, mig, conf-compute, settings and reset."""
import re

from harness import test


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
        row = [x for x in out.splitlines() if re.match(r"\s*GPU0\s+X", x)]
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
    assert "CC status: OFF" in m.smi("conf-compute", "-f")
    assert "CPU CC capabilities: " in m.smi("conf-compute", "-gc")
    assert "GPU CC capabilities: " in m.smi("conf-compute", "-gg")
    assert "CC Environment: " in m.smi("conf-compute", "-e")
    assert "DevTools Mode: OFF" in m.smi("conf-compute", "-d")
    for option in ("-grs", "-gm"):
        out = m.smi("conf-compute", option, rc=None)
        assert out.strip(), option


@test
def persistence_mode_is_set_and_refused(m):
    out = m.smi("-pm", "1")
    assert "Enabled persistence mode for GPU 00000000:01:00.0." in out or "already Enabled" in out, out
    out = m.smi("-pm", "0")
    assert "persistence mode" in out.lower(), out


@test
def reset_is_refused(m):
    """A GPU that other clients could hold is not reset behind the driver's back."""
    result = m.run([m.smi_path, "-r", "-i", "0"]) if m.nvidia else m.smi()
    assert result.rc != 0, result
