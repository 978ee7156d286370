"""Archives that a package must not be read from; each case names its source."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib

import pytest

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.package import MAX_FILES, ModulePackage

MANIFEST = b'id = "vendas"\nversion = "1.0.0"\nentry = "vendas"\n'
SOURCE = b"from plataforma_sdk import ModuleFramework\n"
GOOD = {"module.toml": MANIFEST, "vendas.py": SOURCE}


def archive(extra, *, method=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        for name, content in GOOD.items():
            target.writestr(name, content)
        for name, content in extra:
            target.writestr(name, content)
    return buffer.getvalue()


def entry(name, *, mode=stat.S_IFREG | 0o644, flags=0):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    info.flag_bits |= flags
    return info


def test_a_good_archive_is_read():
    assert ModulePackage.from_archive(archive([])).id == "vendas"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("../evil.py", id="Snyk-ZipSlip"),
        pytest.param("a/../../evil.py", id="Snyk-ZipSlip-inside"),
        pytest.param("/etc/passwd", id="CWE-36-absolute"),
        pytest.param("C:/evil.py", id="CWE-39-drive"),
        pytest.param("..\\evil.py", id="CVE-2018-1002200-backslash"),
        pytest.param("a//b.py", id="CWE-22-empty-segment"),
        pytest.param("./vendas2.py", id="CWE-22-dot-segment"),
        pytest.param("a\x07.py", id="CWE-150-control"),
        pytest.param("con.py", id="Microsoft-reserved-device"),
        pytest.param("aux", id="Microsoft-reserved-device-plain"),
        pytest.param("name.", id="Microsoft-trailing-dot"),
        pytest.param("name ", id="Microsoft-trailing-space"),
        pytest.param("a:stream", id="CWE-69-NTFS-stream"),
        pytest.param("cafe\u0301.py", id="UAX15-not-NFC"),
        pytest.param("a\u202egpj.py", id="CVE-2021-42574-bidi"),
        pytest.param("x" * 300, id="CWE-400-name-length"),
        pytest.param("/".join("abcdefghijklmnopqrst"), id="CWE-400-depth"),
    ],
)
def test_a_name_that_is_not_safe_everywhere_is_refused(name):
    with pytest.raises(IntegrityError):
        ModulePackage.from_archive(archive([(entry(name), b"x")]))


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["Vendas.py"], id="CVE-2014-9390-case"),
        pytest.param(["telas.py", "TELAS.py"], id="CVE-2014-9390-case-of-two"),
        pytest.param(["a", "a/b.py"], id="file-and-directory"),
        pytest.param(["ﬁle.py", "file.py"], id="UAX15-compatibility"),
    ],
)
def test_names_that_are_one_file_somewhere_are_refused(names):
    with pytest.raises(IntegrityError, match=r"one file on some systems|file and as a directory"):
        ModulePackage.from_archive(archive([(entry(name), b"x") for name in names]))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_refused():
    """CVE-2013-4787 (Android master key): readers disagree on which of the two counts."""
    with pytest.raises(IntegrityError, match="twice"):
        ModulePackage.from_archive(archive([("vendas.py", b"evil")]))


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(stat.S_IFLNK, id="CVE-2007-4559-link"),
        pytest.param(stat.S_IFIFO, id="fifo"),
        pytest.param(stat.S_IFCHR, id="device"),
        pytest.param(stat.S_IFSOCK, id="socket"),
    ],
)
def test_a_link_or_special_file_is_refused(kind):
    with pytest.raises(IntegrityError, match="link or a special file"):
        ModulePackage.from_archive(archive([(entry("x", mode=kind | 0o777), b"/etc/passwd")]))


def test_a_compression_bomb_is_refused_while_it_is_read():
    """CWE-409."""
    with pytest.raises(IntegrityError, match="bomb"):
        ModulePackage.from_archive(archive([("zeros.bin", bytes(12 * 2**20))], method=zipfile.ZIP_DEFLATED))


def test_a_file_that_is_too_large_is_refused():
    with pytest.raises(IntegrityError, match="does not fit"):
        ModulePackage.from_archive(archive([("big.bin", bytes(17 * 2**20))], method=zipfile.ZIP_DEFLATED))


def test_too_many_files_are_refused():
    """CWE-400."""
    with pytest.raises(IntegrityError, match="files"):
        ModulePackage.from_archive(archive([(f"f{n}", b"") for n in range(MAX_FILES)]))


def test_a_size_that_lies_is_not_believed():
    """D. Fifield, "A better zip bomb": the stated size is small, the content is not."""
    body = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = body.compress(bytes(2**20)) + body.flush()
    data = archive([("lie.bin", bytes(2**20))], method=zipfile.ZIP_DEFLATED)
    lying = data.replace(struct.pack("<II", len(packed), 2**20), struct.pack("<II", len(packed), 10))
    assert lying != data
    with pytest.raises(IntegrityError):
        ModulePackage.from_archive(lying)


def test_overlapping_entries_are_refused():
    """CVE-2019-9674: several entries of the directory share one body."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in GOOD.items():
            target.writestr(name, content)
        again = zipfile.ZipInfo("again.py")
        again.header_offset = target.infolist()[1].header_offset
        again.file_size = again.compress_size = len(SOURCE)
        again.CRC = zlib.crc32(SOURCE)
        target.filelist.append(again)
        target._didModify = True
    with pytest.raises(IntegrityError):
        ModulePackage.from_archive(buffer.getvalue())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"PK\x03\x04 not really", id="torn"),
        pytest.param(b"#!/bin/sh\n" + archive([]), id="polyglot-before"),
        pytest.param(archive([])[:-10], id="cut"),
    ],
)
def test_what_is_no_whole_zip_is_refused(data):
    with pytest.raises(IntegrityError):
        ModulePackage.from_archive(data)


def test_a_comment_is_refused():
    """A second archive or script may hide in it."""
    buffer = io.BytesIO(archive([]))
    with zipfile.ZipFile(buffer, "a") as target:
        target.comment = b"hello"
    with pytest.raises(IntegrityError, match="comment"):
        ModulePackage.from_archive(buffer.getvalue())


def test_an_encrypted_entry_is_refused():
    data = bytearray(archive([("secret.bin", b"x")]))
    central = data.rindex(b"PK\x01\x02")
    data[central + 8] |= 1
    with pytest.raises(IntegrityError):
        ModulePackage.from_archive(bytes(data))


def test_a_link_in_a_directory_is_refused(tmp_path):
    """CWE-59."""
    for name, content in GOOD.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(IntegrityError, match="link"):
        ModulePackage.from_directory(tmp_path)


def test_a_linked_directory_is_refused(tmp_path):
    """CWE-59."""
    for name, content in GOOD.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "etc").symlink_to("/etc", target_is_directory=True)
    with pytest.raises(IntegrityError, match="link"):
        ModulePackage.from_directory(tmp_path)
