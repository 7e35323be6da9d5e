"""Memory and processors that control groups leave, by trees of files as Linux shows them."""

from pathlib import Path

import pytest

from esrgan_torch.engines import containers
from esrgan_torch.engines.containers import memory_left, quota

MB = 10**6


class Machine:
    """Groups in a folder, and a process that says where it is and what is mounted where."""

    def __init__(self, folder: Path) -> None:
        self.groups, self.process = folder / "group s", folder / "proc"
        self.process.mkdir()
        self._mounts: list[str] = []
        self._in: list[str] = []

    def mount(self, version: int, controllers: str = "", root: str = "/", place: str = "") -> None:
        kind, end = ("cgroup2", "rw") if version == 2 else ("cgroup", f"rw,{controllers}")
        point = str(self.groups / place).replace(" ", "\\040")
        self._mounts.append(f"35 31 0:32 {root} {point} rw,relatime shared:9 - {kind} {kind} {end}")

    def is_in(self, line: str) -> None:
        self._in.append(line)

    def group(self, path: str, **files: int | str) -> None:
        folder = self.groups / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(f"{text}\n")

    def tell(self) -> Path:
        self.process.joinpath("mountinfo").write_text(
            "1 1 0:1 / / rw - ext4 x rw\n" + "\n".join(self._mounts)
        )
        self.process.joinpath("cgroup").write_text("\n".join(self._in) + "\n")
        return self.process


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def two(machine: Machine, path: str = "/") -> None:
    machine.mount(2)
    machine.is_in(f"0::{path}")


def test_without_groups_there_is_no_limit(machine: Machine, tmp_path: Path) -> None:
    assert memory_left(tmp_path / "another system") is None
    assert quota(tmp_path / "another system") is None
    two(machine)
    machine.group("", cgroup__procs=1)  # the root of version 2 has no such files
    assert memory_left(machine.tell()) is None
    assert quota(machine.tell()) is None


def test_a_container_s_own_limit(machine: Machine) -> None:
    two(machine)
    machine.group("", memory__max=1000 * MB, memory__current=700 * MB, cpu__max="150000 100000")
    assert memory_left(machine.tell()) == 300 * MB
    assert quota(machine.tell()) == 1.5


def test_what_only_keeps_files_is_free(machine: Machine) -> None:
    """Files that were read and written filled a container of 1.1 GB, and 36 of 40 pictures were refused."""
    two(machine)
    stat = f"anon {250 * MB}\ninactive_anon 7\ninactive_file {500 * MB}\nactive_file {200 * MB}\nshmem 5"
    machine.group("", memory__max=1000 * MB, memory__current=990 * MB, memory__stat=stat)
    assert memory_left(machine.tell()) == 710 * MB


def test_every_parent_counts(machine: Machine) -> None:
    """A step of Slurm and a service of systemd have no limit of their own, their job and slice have."""
    two(machine, "/slurm/job_1/step_0/user")
    machine.group("slurm", memory__max="max", memory__current=9000 * MB, cpu__max="max 100000")
    machine.group("slurm/job_1", memory__max=800 * MB, memory__current=500 * MB, cpu__max="50000 100000")
    machine.group("slurm/job_1/step_0", memory__max=700 * MB, memory__current=100 * MB)
    machine.group("slurm/job_1/step_0/user", memory__max="max", memory__current=100 * MB, cpu__max="max 1")
    assert memory_left(machine.tell()) == 300 * MB
    assert quota(machine.tell()) == 0.5


def test_a_group_that_would_be_slowed_down_is_full(machine: Machine) -> None:
    two(machine)
    machine.group("", memory__max="max", memory__high=400 * MB, memory__current=100 * MB)
    assert memory_left(machine.tell()) == 300 * MB


def test_more_than_the_limit_is_taken(machine: Machine) -> None:
    two(machine)
    machine.group("", memory__max=100, memory__current=300)
    assert memory_left(machine.tell()) == 0


def test_version_1_and_its_nested_groups(machine: Machine) -> None:
    machine.mount(1, "cpu,cpuacct", place="cpu")
    machine.mount(1, "memory", place="memory")
    machine.is_in("4:memory:/docker/inner")
    machine.is_in("3:cpu,cpuacct:/docker")
    machine.group("memory", memory__limit_in_bytes=2**63 - 4096, memory__usage_in_bytes=5000 * MB)
    stat = f"cache 9\ntotal_inactive_file {60 * MB}\ntotal_active_file {40 * MB}\ninactive_file 1"
    outer = {"memory__limit_in_bytes": 900 * MB, "memory__usage_in_bytes": 800 * MB, "memory__stat": stat}
    machine.group("memory/docker", **outer)
    machine.group("memory/docker/inner", memory__limit_in_bytes=2**63 - 4096, memory__usage_in_bytes=1)
    machine.group("cpu/docker", cpu__cfs_quota_us=250000, cpu__cfs_period_us=100000)
    machine.group("cpu", cpu__cfs_quota_us=-1, cpu__cfs_period_us=100000)
    assert memory_left(machine.tell()) == 200 * MB
    assert quota(machine.tell()) == 2.5


def test_a_limit_above_what_a_container_sees(machine: Machine) -> None:
    """Only its own group is mounted; version 1 tells the least limit of those above all the same."""
    machine.mount(1, "memory", root="/docker/a1", place="memory")
    machine.is_in("4:memory:/docker/a1")
    stat = f"hierarchical_memory_limit {500 * MB}"
    files = {"memory__limit_in_bytes": 2**63 - 4096, "memory__usage_in_bytes": 100 * MB, "memory__stat": stat}
    machine.group("memory", **files)
    assert memory_left(machine.tell()) == 400 * MB


@pytest.mark.parametrize("path", ["/../../other", "/docker/a1/deeper", "/gone/with/the/namespace"])
def test_a_path_of_another_namespace_leads_to_what_is_mounted(path: str, machine: Machine) -> None:
    machine.mount(2, root="/docker/a1")
    machine.is_in(f"0::{path}")
    machine.group("", memory__max=300, memory__current=100)
    assert memory_left(machine.tell()) == 200


def test_both_versions_side_by_side(machine: Machine) -> None:
    machine.mount(2, place="unified")
    machine.mount(1, "memory", place="memory")
    machine.is_in("4:memory:/")
    machine.is_in("0::/")
    machine.group("unified", cgroup__procs=1)
    machine.group("memory", memory__limit_in_bytes=900, memory__usage_in_bytes=100)
    assert memory_left(machine.tell()) == 800


def test_a_damaged_file_is_no_limit(machine: Machine) -> None:
    two(machine)
    machine.group("", memory__max="many", memory__current="", cpu__max="a b", memory__stat="x\ny z 3")
    assert memory_left(machine.tell()) is None
    assert quota(machine.tell()) is None


@pytest.mark.parametrize(("share", "threads"), [(None, None), (0.2, 1), (1.0, 1), (1.5, 2), (64.0, 64)])
def test_threads_for_a_quota(share: float | None, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "quota", lambda: share)
    containers.most_threads.cache_clear()
    try:
        assert containers.most_threads() == threads
    finally:
        containers.most_threads.cache_clear()
