# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""NVLink and topology where not everything is connected: failed links, cards with and without a bridge."""
import os
import re

from harness import test


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def cells(text, gpu):
    """The row of a GPU in a matrix, without its name."""
    return [x for x in plain(text).splitlines() if re.match(r"\s*GPU%d\s+\S" % gpu, x)
            and not re.match(r"\s*GPU0\s+GPU1", x)][0].split()[1:]


def bridged_profile(m):
    """PCIe cards as they are, but for a bridge on each pair."""
    source = os.path.join(m.top, "src/h100/profiles/h100-pcie-80gb.profile")
    path = os.path.join(m.folder, "bridged.profile")
    with open(source) as f:
        text, count = re.subn(r"nvlink_connected = no", "nvlink_connected = yes", f.read())
    assert count == 1
    with open(path, "w") as f:
        f.write(text)
    return path


@test
def nvlink_failed_link_leaves_no_peers(m):
    scenario = "nvlink-down gpu1 17\n"
    out = m.smi("nvlink", "-s", gpus=2, scenario=scenario)
    assert len(re.findall(r"Link \d+: 26.562 GB/s", out)) == 35, out
    assert re.search(r"Link 17: <inactive>", out), out
    for what in ("r", "w", "n", "a"):
        out = m.smi("topo", "-p2p", what, gpus=2, scenario=scenario)
        assert cells(out, 0)[1] == "NS", out
    out = m.smi("topo", "-m", gpus=2, scenario="nvlink-down gpu0 3\n")
    assert cells(out, 0)[1] == "NV17", out


@test
def nvlink_counters(m):
    out = m.smi("nvlink", "-e", scenario="nvlink-error gpu0 2 6\n")
    assert re.findall(r"Link 2: (\w+) Errors: (\d+)", out) == [("Replay", "0"), ("Recovery", "0"), ("CRC", "6")], out
    assert re.findall(r"Link 3: CRC Errors: (\d+)", out) == ["0"], out
    out = m.smi("nvlink", "-gt", "d", "-l", "0")
    assert re.findall(r"Link 0: Data (Tx|Rx): (\d+) KiB", out) == [("Tx", "0"), ("Rx", "0")], out


@test
def nvlink_capabilities(m):
    out = m.smi("nvlink", "-c", "-l", "5")
    for what in ("P2P is supported", "P2P atomics supported"):
        assert "Link 5, %s: true" % what in out, out
    assert "Link 5, SLI is supported: false" in out, out


@test
def nvlink_of_cards_without_a_bridge(m):
    machine = {"gpus": 2, "profile": "h100-pcie-80gb"}
    out = m.smi("nvlink", "-s", **machine)
    assert "GB/s" not in out, out
    out = m.smi("topo", "-m", **machine)
    assert not re.search(r"NV\d", "".join(cells(out, 0))), out
    for what in ("r", "w", "n", "a", "p"):
        assert cells(m.smi("topo", "-p2p", what, **machine), 0)[1] != "OK", what


@test
def nvlink_bridges_join_two_cards(m):
    machine = {"gpus": 3, "profile": bridged_profile(m)}
    out = m.smi("topo", "-m", **machine)
    assert cells(out, 0)[1] == "NV12" and cells(out, 1)[0] == "NV12", out
    assert not cells(out, 0)[2].startswith("NV") and not cells(out, 2)[0].startswith("NV"), out
    out = m.smi("topo", "-p2p", "n", **machine)
    assert cells(out, 0)[1] == "OK" and cells(out, 0)[2] != "OK" and cells(out, 2)[1] != "OK", out
    out = m.smi("nvlink", "-R", **machine)
    assert "Link 7: Remote Device 00000000:02:00.0: Link 7" in out, out
