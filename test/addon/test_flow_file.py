"""The file of flows, on disks that are full or broken."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from addon import contract, limits
from addon.flow_file import FlowFile
from conftest import make_flow, read_paths
from door.departure import is_followed
from mitmproxy.io import tnetstring


@pytest.fixture
def disk(run_folder: Path) -> Iterator[FlowFile]:
    file = FlowFile()
    yield file
    if file.file:
        file.file.close()


def add(disk: FlowFile, path: str) -> None:
    disk.add(make_flow(path).get_state())


def test_flows_are_whole_after_the_disk_was_full_in_the_middle_of_one(disk: FlowFile, run_folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    add(disk, "/before")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (disk.size + 100, hard))
        for n in range(3):
            add(disk, f"/full/{n}")
        assert disk.rest
        assert os.path.getsize(contract.FLOWS) == disk.size - len(disk.rest)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    add(disk, "/after")
    assert (disk.written, disk.dropped) == (3, 2)
    assert read_paths(run_folder) == ["/before", "/full/0", "/after"]


def test_a_disk_that_takes_nothing_costs_only_flows(disk: FlowFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "FLOWS", "/dev/full")
    for _ in range(5):
        add(disk, "/lost")
    assert (disk.written, disk.dropped) == (1, 4)


def test_the_file_grows_no_longer_than_its_limit(
    disk: FlowFile, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FILE_BYTES", 10_000)
    for n in range(50):
        add(disk, f"/{n}")
    paths = read_paths(run_folder)
    assert len(paths) > 1
    assert disk.dropped == 50 - len(paths)
    assert os.path.getsize(contract.FLOWS) <= 10_000


def test_the_end_says_how_many_flows_were_written_and_dropped(disk: FlowFile) -> None:
    add(disk, "/one")
    before = os.path.getsize(contract.FLOWS)
    disk.end(7)
    data = Path(contract.FLOWS).read_bytes()[before:]
    assert tnetstring.loads(data) == {"mittens": "end", "written": 1, "dropped": 0, "unread": 7}


def test_the_file_is_followed_while_a_follower_has_its_entry(run_folder: Path) -> None:
    assert not is_followed()
    followers = Path(contract.FOLLOWERS)
    followers.mkdir()
    assert not is_followed()
    (followers / "one").touch()
    assert is_followed()
