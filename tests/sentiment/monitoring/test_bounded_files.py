import errno
import os
import stat
from concurrent.futures import ProcessPoolExecutor

import pytest

from sentiment.monitoring import bounded_files
from sentiment.monitoring.bounded_files import FILES_IN_BOUND, BoundedFiles, files_of

BOUND = 10_000


def lines(count, length=100, start=0):
    return [b"%0*d\n" % (length - 1, i) for i in range(start, start + count)]


def content(folder, kind="log"):
    return b"".join(file.read_bytes() for file in files_of(folder, kind))


def size(folder):
    return sum(file.stat().st_size for file in folder.iterdir())


def test_everything_is_there_in_order_while_it_fits(tmp_path):
    files = BoundedFiles(tmp_path / "not" / "there", "log", BOUND)
    for start in range(0, 90, 30):
        assert files.append(lines(30, start=start)) == 0
    assert content(tmp_path / "not" / "there") == b"".join(lines(90))
    assert len(files_of(tmp_path / "not" / "there", "log")) >= 9


def test_the_oldest_go_first_and_the_bound_holds(tmp_path):
    files = BoundedFiles(tmp_path, "log", BOUND)
    for start in range(0, 1000, 7):
        assert files.append(lines(7, start=start)) == 0
        assert size(tmp_path) <= BOUND
    kept = content(tmp_path).splitlines(keepends=True)
    written = lines(1001)
    assert kept == written[-len(kept) :]
    assert len(kept) * 100 >= BOUND * (1 - 2 / FILES_IN_BOUND)


def test_kinds_do_not_crowd_each_other_out(tmp_path):
    few, many = BoundedFiles(tmp_path, "few", BOUND), BoundedFiles(tmp_path, "many", BOUND)
    few.append(lines(5))
    many.append(lines(1000))
    assert content(tmp_path, "few") == b"".join(lines(5))


def test_the_current_file_is_not_removed(tmp_path):
    slow, fast = BoundedFiles(tmp_path, "log", BOUND), BoundedFiles(tmp_path, "log", BOUND)
    slow.append(lines(1))
    fast.append(lines(99, start=1))
    assert slow.append(lines(1, start=100)) == 0
    assert files_of(tmp_path, "log")[0].read_bytes() == lines(1)[0] + lines(1, start=100)[0]
    assert lines(1, start=1)[0] not in content(tmp_path)  # the oldest of the others was removed


def write_from_another_process(folder, start):
    files = BoundedFiles(folder, "log", BOUND)
    lost = [files.append(lines(3, start=start + i)) for i in range(0, 300, 3)]
    files.close()
    return sum(lost)


def test_processes_share_one_bound(tmp_path):
    with ProcessPoolExecutor(3) as pool:
        lost = list(pool.map(write_from_another_process, [tmp_path] * 3, [0, 1000, 2000]))
    assert lost == [0, 0, 0]
    assert BOUND / 2 < size(tmp_path) <= BOUND + 2 * 300
    assert set(content(tmp_path).splitlines(keepends=True)) <= set(lines(3000))


def test_a_file_that_is_taken_away_is_replaced(tmp_path):
    files = BoundedFiles(tmp_path / "log", "log", BOUND)
    files.append(lines(1))
    (file,) = files_of(tmp_path / "log", "log")
    file.unlink()
    file.parent.rmdir()
    assert files.append(lines(1, start=1)) == 0
    assert content(tmp_path / "log") == b"".join(lines(1, start=1))


def test_only_the_owner_may_read(tmp_path):
    (tmp_path / "given").mkdir(mode=0o755)
    for folder, mode in ((tmp_path / "own" / "log", 0o700), (tmp_path / "given", 0o755)):
        BoundedFiles(folder, "log", BOUND).append(lines(1))
        (file,) = files_of(folder, "log")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == mode


def test_a_line_longer_than_a_file_gets_its_own_and_one_longer_than_all_is_lost(tmp_path):
    files = BoundedFiles(tmp_path, "log", BOUND)
    long = b"x" * (BOUND // 2) + b"\n"
    assert files.append([*lines(2), long, *lines(2)]) == 0
    assert content(tmp_path) == b"".join([*lines(2), long, *lines(2)])
    assert files.append([b"x" * BOUND + b"\n", *lines(1, start=9)]) == 1
    assert content(tmp_path).endswith(b"".join(lines(1, start=9)))
    assert size(tmp_path) <= BOUND


class FullDisk(bounded_files.FileIO):
    """Accepts ``room`` bytes in all, like a disk that runs full in the middle of a line."""

    room = 0

    def write(self, data):
        if not FullDisk.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = super().write(bytes(data)[: FullDisk.room])
        FullDisk.room -= taken
        return taken


@pytest.fixture
def full_disk(monkeypatch):
    monkeypatch.setattr(bounded_files, "FileIO", FullDisk)
    return FullDisk


def test_a_full_disk_loses_lines_and_leaves_no_half_ones(tmp_path, full_disk, caplog):
    files = BoundedFiles(tmp_path, "log", BOUND)
    full_disk.room = 250
    assert files.append(lines(2)) == 0
    for start in range(10, 100):
        assert files.append(lines(1, start=start)) == 1
    assert content(tmp_path) == b"".join(lines(2))
    assert len(files_of(tmp_path, "log")) == 1
    full_disk.room = 1000
    assert files.append(lines(2, start=2)) == 0
    assert content(tmp_path) == b"".join(lines(4))
    assert [r.getMessage() for r in caplog.records] == [
        "cannot write to the log log, its records are lost: No space left on device"
    ]


def test_after_half_a_line_that_cannot_be_removed_the_next_line_is_whole(tmp_path, full_disk, monkeypatch):
    files = BoundedFiles(tmp_path, "log", BOUND)
    full_disk.room = 50

    def refuse(self):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr(full_disk, "truncate", refuse, raising=False)
        assert files.append(lines(1)) == 1
    full_disk.room = 1000
    assert files.append(lines(1)) == 0
    first, second = files_of(tmp_path, "log")
    assert first.read_bytes() == lines(1)[0][:50]
    assert second.read_bytes() == lines(1)[0]


def test_a_folder_that_cannot_be_made_loses_lines_until_it_can(tmp_path):
    (tmp_path / "file").write_text("in the way")
    files = BoundedFiles(tmp_path / "file", "log", BOUND)
    assert files.append(lines(3)) == 3
    (tmp_path / "file").unlink()
    assert files.append(lines(3)) == 0
