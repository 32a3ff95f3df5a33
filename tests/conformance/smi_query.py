# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""nvidia-smi -q, -q -x and --query-gpu: every value against profile and model, every N/A explained."""
import csv
import io
import os
import re
import xml.etree.ElementTree as ElementTree

from harness import test
from smi_table import PROFILES

# Also behind a word of its own: "state  N/A".
NO_VALUE = re.compile(r"(?:^|\s)\[?(?:N/A|Not Supported|Unknown Error|ERR!|Insufficient Permissions)\]?$")


def has_none(value):
    return NO_VALUE.search(value.strip()) is not None


def explanations(m, heading):
    """What docs/nvidia-smi-fields.md lists without a value under a heading: (on cards alone, reason) by name."""
    text = open(os.path.join(m.top, "docs/nvidia-smi-fields.md")).read()
    (section,) = re.findall(r"^## %s\n(.*?)(?=^## |\Z)" % re.escape(heading), text, re.M | re.S)
    fields = {}
    for line in section.splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) >= 3 and cells[1] in ("N/A", "Unknown Error", "N/A on cards"):
            fields[cells[0].strip("`")] = cells[1].endswith("on cards"), cells[2]
    assert fields, heading
    return fields


FIELDS, LINES = "Fields of --query-gpu", "Lines of -q without a value"


def hold_against_list(m, heading, values_of):
    """The list under the heading, and what each profile has: (name, value) pairs of values_of(profile)."""
    known = explanations(m, heading)
    wrong = []
    for profile in PROFILES:
        card = m.profile(profile)["module"] == "no"
        values = values_of(profile)
        for name, value in values:
            on_cards, _ = known.get(name, (False, None))
            listed = name in known and (card or not on_cards)
            if has_none(value) and not listed:
                wrong.append("%s: %s is %s without explanation" % (profile, name, value))
            if listed and not has_none(value):
                wrong.append("%s: %s is listed, yet it is %s" % (profile, name, value))
        gone = set(known) - {name for name, _ in values}
        wrong += ["%s: %s is listed and not shown" % (profile, name) for name in sorted(gone)]
    assert not wrong, "; ".join(wrong)


def xml_of(m, **machine):
    return ElementTree.fromstring(m.smi("-q", "-x", **machine))


def text(element, path):
    found = element.find(path)
    assert found is not None, "no element " + path
    return (found.text or "").strip()


@test
def xml_agrees_with_profile(m):
    for name in PROFILES:
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


def q_lines(m, profile):
    path, lines = [], []
    for line in m.smi("-q", profile=profile).splitlines():
        depth = (len(line) - len(line.lstrip())) // 4
        key, colon, value = line.partition(" : ")
        if not line.strip():
            continue
        path = path[:depth] + [key.strip()]
        if colon:
            lines.append((" / ".join(path[1:]), value.strip()))
    assert len(lines) > 150, lines
    return lines


@test
def q_lines_without_value_are_explained(m):
    hold_against_list(m, LINES, lambda profile: q_lines(m, profile))


def open_controls(m):
    """The controls that the interface's files define; those of closed.abi and others marked closed are not open."""
    folder = os.path.join(m.top, "abi/r535")
    found = set()
    for name in os.listdir(folder):
        text = open(os.path.join(folder, name)).read().replace("\\\n", " ")
        for number, rest in re.findall(r"^control (0x[0-9a-f]{8}) (.*)$", text, re.M):
            if "closed" not in rest.split():
                found.add(int(number, 16))
    assert len(found) > 1000, len(found)
    return found


@test
def reasons_are_of_three_kinds(m):
    limits = open(os.path.join(m.top, "docs/limits.md")).read()
    defined = open_controls(m)
    wrong = []
    for heading in (FIELDS, LINES):
        for name, (_, reason) in explanations(m, heading).items():
            numbers = [int(n, 16) for n in re.findall(r"0x[0-9a-f]{8}", reason)]
            if reason.startswith("undefined: control"):
                if not numbers or set(numbers) & defined:
                    wrong.append("%s: a control has an open definition: %s" % (name, reason))
            elif reason.startswith("not yet: "):
                shown = name.split(" / ")[-1]
                if '"%s"' % shown not in limits and "`%s`" % shown not in limits:
                    wrong.append("%s: not in limits.md" % name)
            elif not reason.startswith("no such thing"):
                wrong.append("%s: no reason: %s" % (name, reason))
    assert not wrong, "; ".join(wrong)


def all_fields(m):
    return re.findall(r'^"([A-Za-z0-9_.]+)"', m.smi("--help-query-gpu"), re.M)


@test
def query_gpu_knows_every_field(m):
    fields = all_fields(m)
    assert len(fields) > 100, fields

    def values_of(profile):
        out = m.smi("--query-gpu=" + ",".join(fields), "--format=csv", profile=profile)
        header, values = list(csv.reader(io.StringIO(out), skipinitialspace=True))
        assert len(header) == len(fields) == len(values), (len(header), len(fields), len(values))
        return list(zip(fields, values))

    hold_against_list(m, FIELDS, values_of)


@test
def fabric_is_what_the_manager_says(m):
    """Completed on modules in the end (the answer comes over the links), what a scenario wants else."""
    query = ("--query-gpu=fabric.state,fabric.status", "--format=csv,noheader")
    told = {"": "state  Completed, status Success", "fabric-silent\n": "state  In Progress, status N/A",
            "fabric-refuses\n": "state  Completed, status Unknown Error"}
    for scenario, line in told.items():
        for _ in range(5):
            out = m.smi(*query, scenario=scenario).strip()
            if out == line:
                break
        assert out == line, (scenario, out)


@test
def query_gpu_agrees_with_profile(m):
    for name in PROFILES:
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
            "pcie.link.gen.hostmax": "5",
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
