# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Settings that nvidia-smi changes in the GPU and reads back in another run need a machine that stays:
they stand in shared_machine.py. Here: what one run shows of clocks and limits."""
import re

from harness import test


@test
def q_shows_clocks(m):
    profile = m.profile()
    out = m.smi("-q", "-d", "CLOCK")
    now = re.search(r"^    Clocks\n((?:        .*\n)+)", out, re.M).group(1)
    values = dict(re.findall(r"(\w+)\s+: (\d+) MHz", now))
    assert int(values["Memory"]) == profile.highest("memory_clocks"), out
    assert int(values["Graphics"]) >= 210, out


@test
def q_shows_power_limits(m):
    profile = m.profile()
    out = m.smi("-q", "-d", "POWER")
    for label, key in (("Current Power Limit", "power_default_limit"), ("Default Power Limit", "power_default_limit"),
                       ("Min Power Limit", "power_min_limit"), ("Max Power Limit", "power_max_limit")):
        assert re.search(r"%s\s+: %d\.00 W" % (label, profile.watts(key)), out), (label, out)


@test
def q_displays_every_section(m):
    sections = ("MEMORY", "UTILIZATION", "ECC", "TEMPERATURE", "POWER", "CLOCK", "COMPUTE", "PIDS", "PERFORMANCE",
                "SUPPORTED_CLOCKS", "PAGE_RETIREMENT", "ACCOUNTING", "ENCODER_STATS", "FBC_STATS", "ROW_REMAPPER",
                "VOLTAGE")
    for section in sections:
        out = m.smi("-q", "-d", section)
        assert "GPU 00000000:01:00.0" in out, (section, out)
