# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""nvidia-smi -q, -q -x and --query-gpu: every value against profile and model, every N/A explained."""
import csv
import io
import os
import re
import xml.etree.ElementTree as ElementTree

from harness import test

NO_VALUE = ("N/A", "[N/A]", "[Not Supported]", "[Unknown Error]", "Unknown Error", "ERR!", "[Insufficient Permissions]")


def explained(m):
    """Fields that docs/nvidia-smi-fields.md lists as having no value, and why."""
    fields = {}
    for line in open(os.path.join(m.top, "docs/nvidia-smi-fields.md")):
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) >= 3 and cells[1] in ("N/A", "Unknown Error"):
            fields[cells[0].strip("`")] = cells[2]
    return fields


def xml_of(m, **machine):
    return ElementTree.fromstring(m.smi("-q", "-x", **machine))


def text(element, path):
    found = element.find(path)
    assert found is not None, "no element " + path
    return (found.text or "").strip()


@test
def xml_agrees_with_profile(m):
    for name in ("h100-sxm-80gb", "h100-pcie-80gb", "h200"):
        profile = m.profile(name)
        root = xml_of(m, profile=name)
        assert text(root, "driver_version") == m.version
        assert text(root, "attached_gpus") == "1"
        gpu = root.find("gpu")
        expected = {
            "product_name": profile["name"],
            "product_architecture": "Hopper",
            "vbios_version": profile["vbios_version"],
            "board_part_number": None,
            "gsp_firmware_version": m.version,
            "inforom_version/img_version": profile["inforom_image"],
            "pci/pci_bus": "01",
            "pci/pci_device_id": "%04X%04X" % (profile.number("device_id"), profile.number("vendor_id")),
            "pci/pci_sub_system_id": "%04X%04X" % (profile.number("subsystem_id"), profile.number("subsystem_vendor_id")),
            "fb_memory_usage/total": "%d MiB" % profile.number("memory"),
            "ecc_mode/current_ecc": "Enabled",
            "temperature/gpu_temp_max_tlimit_threshold": "%d C" % (
                profile.number("temperature_max_operating") - profile.number("temperature_shutdown")),
            "temperature/gpu_temp_slow_tlimit_threshold": "%d C" % (
                profile.number("temperature_max_operating") - profile.number("temperature_slowdown")),
            "performance_state": "P0",
            "compute_mode": "Default",
        }
        for path, value in expected.items():
            if value is not None:
                assert text(gpu, path) == value, "%s: %s is %r, not %r" % (name, path, text(gpu, path), value)
        total = sum(int(text(gpu, "fb_memory_usage/" + k).split()[0]) for k in ("used", "free", "reserved"))
        assert abs(total - profile.number("memory")) <= 2, total


@test
def xml_follows_scenario(m):
    scenario = ("temperature gpu0 77\npower gpu0 555W\nutilization gpu0 41\npcie-replay gpu0 5\n")
    gpu = xml_of(m, scenario=scenario).find("gpu")
    assert text(gpu, "temperature/gpu_temp") == "77 C"
    assert text(gpu, "utilization/gpu_util") == "41 %"
    assert text(gpu, "pci/replay_counter") == "5"
    power = [e for e in gpu.iter() if e.tag == "power_draw"][0]
    assert power.text == "555.00 W", power.text


@test
def q_lines_without_value_are_explained(m):
    out = m.smi("-q")
    path, missing = [], []
    known = explained(m)
    for line in out.splitlines():
        if not line.strip():
            continue
        depth = (len(line) - len(line.lstrip())) // 4
        key, colon, value = line.partition(" : ")
        key = key.strip()
        path = path[:depth] + [key]
        if colon and value.strip() in NO_VALUE:
            name = " / ".join(path[1:])
            if name not in known:
                missing.append(name)
    assert not missing, "no value and no explanation in docs/nvidia-smi-fields.md: " + "; ".join(missing)


def all_fields(m):
    return re.findall(r'^"([a-z0-9_.]+)"', m.smi("--help-query-gpu"), re.M)


@test
def query_gpu_knows_every_field(m):
    fields = all_fields(m)
    assert len(fields) > 100, fields
    out = m.smi("--query-gpu=" + ",".join(fields), "--format=csv")
    header, values = list(csv.reader(io.StringIO(out), skipinitialspace=True))
    assert len(header) == len(fields) == len(values), (len(header), len(fields), len(values))
    known = explained(m)
    missing = [f for f, v in zip(fields, values) if v.strip() in NO_VALUE and f not in known]
    assert not missing, "no value and no explanation in docs/nvidia-smi-fields.md: " + ", ".join(missing)
    stale = [f for f, v in zip(fields, values) if f in known and v.strip() not in NO_VALUE]
    assert not stale, "explained as having no value, but they have one: " + ", ".join(stale)


@test
def query_gpu_agrees_with_profile(m):
    for name in ("h100-sxm-80gb", "h100-pcie-80gb", "h200"):
        profile = m.profile(name)
        wanted = {
            "name": profile["name"],
            "vbios_version": profile["vbios_version"],
            "memory.total": "%d" % profile.number("memory"),
            "power.limit": "%.2f" % profile.watts("power_default_limit"),
            "power.min_limit": "%.2f" % profile.watts("power_min_limit"),
            "power.max_limit": "%.2f" % profile.watts("power_max_limit"),
            "power.default_limit": "%.2f" % profile.watts("power_default_limit"),
            "inforom.img": profile["inforom_image"],
            "ecc.mode.current": "Enabled",
            "compute_mode": "Default",
            "mig.mode.current": "Disabled",
            "index": "0",
            "count": "1",
            "pci.bus_id": "00000000:01:00.0",
            "pcie.link.gen.max": "%d" % profile.number("pcie_generation"),
            "pcie.link.width.max": "%d" % profile.number("pcie_lanes"),
        }
        out = m.smi("--query-gpu=" + ",".join(wanted), "--format=csv,noheader,nounits", profile=name)
        (values,) = list(csv.reader(io.StringIO(out), skipinitialspace=True))
        found = dict(zip(wanted, values))
        wrong = {k: (found[k], v) for k, v in wanted.items() if found[k] != v}
        assert not wrong, "%s: found, expected: %r" % (name, wrong)


@test
def query_of_processes_is_empty(m):
    out = m.smi("--query-compute-apps=pid,name,used_memory", "--format=csv")
    assert out.strip() == "pid, process_name, used_gpu_memory [MiB]", out
