# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""nvidia-smi's table and -L: names, bus ids, memory, power and heat as profile and scenario say."""
import re

from harness import test

PROFILES = ("h100-sxm-80gb", "h100-pcie-80gb", "h200")


def rows(table):
    """The GPU rows of the table: a dictionary a GPU."""
    found = []
    lines = table.splitlines()
    for n, line in enumerate(lines):
        m = re.match(r"\|\s+(\d+)  (.+?)\s{2,}(On|Off|N/A)\s+\| (\S+) (\S+)\s+\|\s+(\S+) \|", line)
        if not m:
            continue
        row = dict(index=int(m.group(1)), name=m.group(2), persistence=m.group(3), bus=m.group(4),
                   display=m.group(5), ecc=m.group(6))
        m = re.match(r"\|\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+) / (\S+)\s+\|\s+(\d+)MiB / (\S+)\s+\|\s+(\S+)\s+(\S+)", lines[n + 1])
        assert m, "second row not understood: %r" % lines[n + 1]
        row.update(fan=m.group(1), temperature=m.group(2), pstate=m.group(3), power=m.group(4), cap=m.group(5),
                   used=int(m.group(6)), total=m.group(7), utilization=m.group(8), compute=m.group(9))
        found.append(row)
    return found


@test
def table_shows_profile(m):
    for name in PROFILES:
        profile = m.profile(name)
        out = m.smi(profile=name)
        assert "Driver Version: %s" % m.version in out, out
        assert "CUDA Version: 12.2" in out, out
        (row,) = rows(out)
        assert row["name"] == profile["name"][:len(row["name"])], row
        assert row["bus"] == "00000000:01:00.0", row
        # A long figure is cut by nvidia-smi itself: "14377...".
        total = row["total"].rstrip(".")
        assert ("%dMiB" % profile.number("memory")).startswith(total) and len(total) >= 5, row
        assert row["cap"] == "%dW" % profile.watts("power_default_limit"), row
        assert row["display"] == "Off" and row["pstate"] == "P0" and row["compute"] == "Default", row
        assert row["ecc"] == "0", row
        assert re.match(r"\d+C$", row["temperature"]), row
        assert row["utilization"] == "0%", row


@test
def table_shows_model_state(m):
    """Values that a scenario sets come out; nothing in the driver knows them."""
    scenario = "temperature gpu0 71\npower gpu0 412W\nutilization gpu0 63\n"
    (row,) = rows(m.smi(scenario=scenario))
    assert row["temperature"] == "71C", row
    assert row["power"] == "412W", row
    assert row["utilization"] == "63%", row


@test
def table_of_many_gpus(m):
    for count in (2, 8, 16):
        found = rows(m.smi(gpus=count))
        assert [r["index"] for r in found] == list(range(count)), found
        assert len({r["bus"] for r in found}) == count, found


@test
def list_has_stable_uuids(m):
    first, second = m.smi("-L", gpus=3), m.smi("-L", gpus=3)
    assert first == second, first + second
    uuids = re.findall(r"^GPU (\d): (.+) \(UUID: (GPU-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)$", first, re.M)
    assert [u[0] for u in uuids] == ["0", "1", "2"], first
    assert len({u[2] for u in uuids}) == 3, first
    assert all(u[1] == m.profile()["name"] for u in uuids), first


@test
def one_gpu_by_index_bus_and_uuid(m):
    listing = m.smi("-L", gpus=2)
    uuid = re.findall(r"UUID: (\S+)\)", listing)[1]
    for key in ("1", "00000000:02:00.0", uuid):
        (row,) = rows(m.smi("-i", key, gpus=2))
        assert row["index"] == 1 and row["bus"] == "00000000:02:00.0", (key, row)
    assert "No devices were found" in m.smi("-i", "7", gpus=2, rc=6)


@test
def table_as_another_user(m):
    """No right but that of opening the nodes is needed."""
    result = m.smi_as_nobody()
    assert result.rc == 0 and len(rows(result.out)) == 1, result
