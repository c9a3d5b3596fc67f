"""The health tags of a VM and its image, and failures in a serial log."""

from __future__ import annotations

import pytest

from refresh.domain.health.agent_tag import agent_required
from refresh.domain.health.boot_log import ALL_BOOTS, count_boots, find_in_boot_log
from refresh.domain.terms.probe import Probe, parse_probe
from refresh.domain.terms.vm_tags import TagFault, parse_vm_tags
from tests.support.worlds.builders import make_definition, make_vm


@pytest.mark.parametrize(
    ("text", "probe"),
    [
        ("tcp:22", Probe("tcp", 22)),
        (" tcp:65535 ", Probe("tcp", 65535)),
        ("http:8080/healthz", Probe("http", 8080, "/healthz")),
        ("https:443/", Probe("https", 443, "/")),
        ("http:80", Probe("http", 80, "/")),
        ("http:80/a/b?c=d", Probe("http", 80, "/a/b?c=d")),
    ],
)
def test_a_probe_is_scheme_port_and_path(text: str, probe: Probe) -> None:
    """Documented probes are parsed, and their text is the tag's text."""
    assert parse_probe(text) == probe
    assert parse_probe(str(probe)) == probe


@pytest.mark.parametrize(
    "text",
    [
        "",
        "22",
        "tcp",
        "tcp:",
        "tcp:0",
        "tcp:022",
        "tcp:65536",
        "tcp:99999999",
        "tcp:-1",
        "tcp:22/path",
        "TCP:22",
        "udp:53",
        "ftp:21/",
        "http://10.0.0.4/",
        "http:8080healthz",
        "http:80/with space",
        "http:80/\r\nHost: evil",
        "http:80/#fragment",
        "http:80@evil.example/",
        "http:evil.example:80/",
        "tcp:٢٢",
        "http:80/" + "a" * 300,
    ],
)
def test_anything_else_is_no_probe(text: str) -> None:
    """A host, another scheme, a bad port or an illegal character is refused, never repaired."""
    assert parse_probe(text) is None


def test_a_bad_probe_is_a_fault_and_not_none() -> None:
    """An empty tag is no probe; one that cannot be read is a fault."""
    assert make_vm().own_tags.probe is None
    assert make_vm({"RefreshProbe": " "}).own_tags.probe is None
    assert make_vm({"refreshprobe": "tcp:22"}).own_tags.probe == Probe("tcp", 22)
    assert isinstance(make_vm({"RefreshProbe": "ssh"}).own_tags.probe, TagFault)
    assert make_vm({"RefreshProbe": " tcp:22 "}).own_tags.probe == Probe("tcp", 22)


LINUX = "[    0.000000] Linux version 6.8.0-1015-azure (buildd@lcy02) (gcc)\n"


@pytest.mark.parametrize(
    ("log", "found"),
    [
        ("", None),
        (LINUX + "Ubuntu 22.04.3 LTS web01 ttyS0\n\nweb01 login: ", None),
        (LINUX + "[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs", "kernel panic"),
        (LINUX + "You are in emergency mode. After logging in, type", "emergency mode"),
        (LINUX + "Give root password for maintenance", "emergency mode"),
        (LINUX + "\nBusyBox v1.30\n(initramfs) ", "stuck before the root file system"),
        ("error: no such partition.\ngrub rescue> ", "stuck in the boot loader"),
        (LINUX + "Kernel panic - not syncing: x\n" + LINUX + "web01 login: ", None),
        ("Computer is booting, SAC started and initialized.\nSAC>EVENT: The CMD command is now available.", None),
        ("Computer is booting, SAC started and initialized.\nWindows Setup", "Windows setup is waiting"),
        (LINUX + "web01 login: \n" + LINUX + "Kernel panic - not syncing: x", "kernel panic"),
    ],
)
def test_the_newest_boot_in_the_log_proves_failure(log: str, found: str | None) -> None:
    """A panic, emergency mode or a boot loader's prompt counts in the newest boot only."""
    assert find_in_boot_log(log) == found


@pytest.mark.parametrize(
    ("text", "timeout_s"), [("30", 30), (" 600 ", 600), ("3600", 3600), ("29", None), ("3601", None), ("5m", None)]
)
def test_a_vm_may_have_its_own_health_timeout(text: str, timeout_s: int | None) -> None:
    """The tag is a whole number of seconds within the setting's bounds; any other value is a fault with the cure."""
    found = parse_vm_tags({"RefreshHealthTimeoutS": text}).health_timeout_s
    if timeout_s is None:
        assert isinstance(found, TagFault)
        assert "30 to 3600" in found.message
    else:
        assert found == timeout_s
    assert parse_vm_tags({"RefreshHealthTimeoutS": ""}).health_timeout_s is None


@pytest.mark.parametrize(
    ("tags", "promised"),
    [({"RefreshAgent": "True"}, True), ({"refreshagent": "false"}, False), ({"RefreshAgent": "x"}, None), ({}, None)],
)
def test_an_image_requires_an_agent_or_none(tags: dict[str, str], promised: bool | None) -> None:
    """`RefreshAgent` on the image definition is read in any case; any value but true and false counts as none."""
    assert agent_required(make_definition(tags)) is promised
    assert agent_required(None) is None


def test_a_log_counts_from_the_first_boot_of_the_new_disk_on() -> None:
    """With as many boots as before the stop, the newest is the old disk's; a further one is the new disk's."""
    old, new = "Linux version 6\nKernel panic - not syncing: old\n", "Linux version 6\nlogin:\n"
    assert count_boots(old + new) == 2
    assert find_in_boot_log(old) == "kernel panic"
    assert find_in_boot_log(old, 1) is None
    assert find_in_boot_log(old + new, 1) is None
    assert find_in_boot_log(new + old, 1) == "kernel panic"
    assert find_in_boot_log(new + old, ALL_BOOTS) is None
