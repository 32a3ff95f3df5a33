# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Programs that share one machine under `leafhopper up`: one state, isolated clients."""
import contextlib
import os
import re
import subprocess

from harness import skip, test
from smi_table import rows


@contextlib.contextmanager
def machine_up(m, **machine):
    os.makedirs(os.path.join(m.folder, "up"), exist_ok=True)
    socket = os.path.join(m.folder, "up", "socket")
    env = {"LEAFHOPPER_SOCKET": socket}
    result = m.command([m.leafhopper, "up", *m.options(**machine)], env=env)
    assert result.rc == 0, result
    try:
        yield lambda *words, rc=0: checked(m, words, env, rc)
    finally:
        result = m.command([m.leafhopper, "down"], env=env)
        assert result.rc == 0, result


def checked(m, words, env, rc):
    result = m.command([m.leafhopper, "enter", "--", *words], env=env)
    assert rc is None or result.rc == rc, result
    return result.out


def need_nvidia(m):
    if not m.nvidia:
        skip("NVIDIA's user space is not there")


@test
def settings_are_seen_by_others(m):
    need_nvidia(m)
    with machine_up(m, gpus=2) as enter:
        assert rows(enter(m.smi_path))[0]["cap"] == "700W"
        out = enter(m.smi_path, "-pm", "1", "-i", "0")
        assert "ersistence" in out, out
        found = rows(enter(m.smi_path))
        assert [r["persistence"] for r in found] == ["On", "Off"], found


@test
def injected_state_is_seen(m):
    need_nvidia(m)
    env = {"LEAFHOPPER_SOCKET": os.path.join(m.folder, "up", "socket")}
    with machine_up(m) as enter:
        result = m.command([m.leafhopper, "inject", "0", "temperature 83"], env=env)
        assert result.rc == 0, result
        assert rows(enter(m.smi_path))[0]["temperature"] == "83C"
        result = m.command([m.leafhopper, "inject", "0", "off-bus"], env=env)
        assert result.rc == 0, result
        out = enter(m.smi_path, rc=None)
        assert not rows(out) or "ERR!" in out, out


@test
def ecc_errors_are_counted(m):
    """Volatile counts begin when the driver boots the GPU, so persistence mode keeps it up."""
    need_nvidia(m)
    with machine_up(m) as enter:
        enter(m.smi_path, "-pm", "1")
        env = {"LEAFHOPPER_SOCKET": os.path.join(m.folder, "up", "socket")}
        for line in ("ecc-sbe 9", "ecc-dbe 2"):
            result = m.command([m.leafhopper, "inject", "0", line], env=env)
            assert result.rc == 0, result
        fields = ("ecc.errors.corrected.volatile.total", "ecc.errors.uncorrected.volatile.total",
                  "ecc.errors.corrected.aggregate.total")
        out = enter(m.smi_path, "--query-gpu=" + ",".join(fields), "--format=csv,noheader")
        assert out.strip() == "9, 2, 9", out
        assert rows(enter(m.smi_path))[0]["ecc"] == "2"


@test
def two_programs_at_once(m):
    need_nvidia(m)
    env = m.environment({"LEAFHOPPER_SOCKET": os.path.join(m.folder, "up", "socket")})
    with machine_up(m, gpus=2, scenario="temperature gpu0 61\n"):
        children = [subprocess.Popen([m.leafhopper, "enter", "--", m.smi_path, "--query-gpu=uuid,temperature.gpu",
                                      "--format=csv,noheader"], stdout=subprocess.PIPE, env=env, text=True)
                    for _ in range(8)]
        outs = [c.communicate(timeout=60)[0] for c in children]
        assert all(c.returncode == 0 for c in children)
        uuids = {re.sub(r", \d+", "", o) for o in outs}
        assert len(uuids) == 1, outs
        assert all(", 61\n" in o for o in outs), outs


@test
def status_and_down(m):
    env = {"LEAFHOPPER_SOCKET": os.path.join(m.folder, "up", "socket")}
    assert m.command([m.leafhopper, "status"], env=env).rc != 0
    with machine_up(m):
        result = m.command([m.leafhopper, "status"], env=env)
        assert result.rc == 0 and "0000:01:00.0" in result.out, result
        # A second one in the same place is refused.
        assert m.command([m.leafhopper, "up"], env=env).rc != 0
    assert m.command([m.leafhopper, "status"], env=env).rc != 0
    assert m.command([m.leafhopper, "down"], env=env).rc != 0
