"""Archives that a package must not be read from; each case names its source."""

from __future__ import annotations

import io
import os
import random
import stat
import struct
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.errors import IntegrityError, ManifestError
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


# --- the structure: one archive, one reading -------------------------------------------------------------------------


def raw_entry(name, content, *, central=(), local=(), flags=0x0800, extra=b"", local_extra=b"", mode=0o100644):
    """One entry as bytes, so that directory and local header can be made to disagree."""
    sizes = {"crc": zlib.crc32(content), "packed": len(content), "size": len(content), "flags": flags, "method": 0}
    here, there = {**sizes, **dict(local)}, {**sizes, **dict(central)}
    local_name = dict(local).get("name", name).encode()
    header = struct.pack(
        "<4s5H3L2H",
        *(b"PK\3\4", 20, here["flags"], here["method"], 0, 0x21),
        *(here["crc"], here["packed"], here["size"], len(local_name), len(local_extra)),
    )

    def record(offset):
        return (
            struct.pack(
                "<4s6H3L5H2L",
                *(b"PK\1\2", 0x0314, there.get("version", 20), there["flags"], there["method"], 0, 0x21),
                *(there["crc"], there["packed"], there["size"], len(name.encode()), len(extra)),
                *(len(there.get("comment", b"")), there.get("disk", 0), 0, mode << 16, there.get("offset", offset)),
            )
            + name.encode()
            + extra
            + there.get("comment", b"")
        )

    return header + local_name + local_extra + content, record


def raw_archive(*entries, gap=b"", after=b"", end=()):
    good = [raw_entry(name, content) for name, content in GOOD.items()]
    body, records = b"", b""
    for header, record in (*good, *entries):
        records += record(len(body))
        body += header
    body += gap
    fields = {"disk": 0, "here": len(good) + len(entries), "count": len(good) + len(entries), "start": len(body)}
    fields |= {"size": len(records), "comment": 0, **dict(end)}
    return (
        body
        + records
        + struct.pack(
            "<4s4H2LH",
            *(b"PK\5\6", fields["disk"], 0, fields["here"], fields["count"]),
            *(fields["size"], fields["start"], fields["comment"]),
        )
        + after
    )


def test_the_raw_archive_of_these_tests_is_good():
    assert set(ModulePackage.from_archive(raw_archive(raw_entry("x.txt", b"x"))).files) == {*GOOD, "x.txt"}


def descriptor(content, *, magic=b"PK\7\x08", crc=None):
    return magic + struct.pack("<3L", zlib.crc32(content) if crc is None else crc, len(content), len(content))


STREAMED = {"crc": 0, "packed": 0, "size": 0}


@pytest.mark.parametrize("magic", [b"PK\7\x08", b""], ids=["with-magic", "without"])
def test_an_archive_that_was_streamed_is_read(magic):
    """As written to a pipe: sizes follow the content. APPNOTE 4.3.9."""
    header, record = raw_entry("x.txt", b"x", local=STREAMED, flags=0x0808)
    data = raw_archive((header + descriptor(b"x", magic=magic), record))
    assert ModulePackage.from_archive(data).files["x.txt"] == b"x"


def streamed(tail):
    header, record = raw_entry("x.txt", b"x", local=STREAMED, flags=0x0808)
    return raw_archive((header + tail, record))


HOSTILE = {
    # Source: Fifield, "A better zip bomb"
    "Fifield-quoted-overlap": raw_archive(raw_entry("x", b"x", central={"packed": 40, "size": 40})),
    "Fifield-shared-body": raw_archive(raw_entry("x", SOURCE, central={"offset": 0})),
    # Source: CVE-2025-54368 and PyPI's restrictions of August 2025: parser differentials of zip readers
    "CVE-2025-54368-two-sizes": raw_archive(raw_entry("x", b"xy", local={"size": 1})),
    "CVE-2025-54368-two-methods": raw_archive(raw_entry("x", b"xy", local={"method": 8})),
    "CVE-2025-54368-two-flags": raw_archive(raw_entry("x", b"xy", local={"flags": 0})),
    "CVE-2025-54368-two-checksums": raw_archive(raw_entry("x", b"xy", local={"crc": 7})),
    "CVE-2025-54368-two-names": raw_archive(raw_entry("x", b"xy", local={"name": "y"})),
    "CVE-2025-54368-no-descriptor": streamed(b""),
    "CVE-2025-54368-other-descriptor": streamed(descriptor(b"x", crc=7)),
    "CVE-2025-54368-long-descriptor": streamed(descriptor(b"x") + b"hidden"),
    "CVE-2025-54368-unicode-path": raw_archive(raw_entry("x", b"", extra=struct.pack("<2H5s", 0x7075, 5, b"\1"))),
    "CVE-2025-54368-unicode-path-local": raw_archive(
        raw_entry("x", b"", local_extra=struct.pack("<2H5s", 0x7075, 5, b"\1"))
    ),
    "PyPI-2025-gap": raw_archive(gap=b"#!/bin/sh\n"),
    "PyPI-2025-after-the-end": raw_archive(after=b"\n"),
    "PyPI-2025-archive-after-archive": raw_archive() + raw_archive(),
    "PyPI-2025-comment": raw_archive(end={"comment": 5}, after=b"hello"),
    "PyPI-2025-entry-comment": raw_archive(raw_entry("x", b"", central={"comment": b"hello"})),
    "PyPI-2025-fewer-entries-than-records": raw_archive(raw_entry("x", b""), end={"here": 2, "count": 2}),
    "PyPI-2025-more-entries-than-records": raw_archive(end={"here": 3, "count": 3}),
    "PyPI-2025-two-counts": raw_archive(end={"here": 1}),
    # Source: APPNOTE 4.3.14-15, 4.5.3: sizes that only some readers look for elsewhere
    "zip64-size": raw_archive(raw_entry("x", b"x", central={"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF})),
    "zip64-extra": raw_archive(raw_entry("x", b"x", extra=struct.pack("<2HQ", 1, 8, 1))),
    "zip64-count": raw_archive(end={"here": 0xFFFF, "count": 0xFFFF}),
    "zip64-start": raw_archive(end={"start": 0xFFFFFFFF}),
    "split-archive": raw_archive(end={"disk": 1}),
    "split-entry": raw_archive(raw_entry("x", b"", central={"disk": 1})),
    "directory-elsewhere": raw_archive(end={"start": 0}),
    "offset-outside": raw_archive(raw_entry("x", b"", central={"offset": 0x7FFFFFFF})),
    "damaged-extra": raw_archive(raw_entry("x", b"", extra=b"\1")),
    "extra-too-long": raw_archive(raw_entry("x", b"", extra=struct.pack("<2H", 0x5455, 99))),
    # Source: APPNOTE 4.4.4, 4.4.5
    "encrypted": raw_archive(raw_entry("x", b"x", flags=0x0801)),
    "strong-encryption": raw_archive(raw_entry("x", b"x", flags=0x0841)),
    "masked-headers": raw_archive(raw_entry("x", b"x", flags=0x2800)),
    "patched-data": raw_archive(raw_entry("x", b"x", flags=0x0820)),
    "lzma": raw_archive(raw_entry("x", b"x", central={"method": 14}, local={"method": 14})),
    "deflate64": raw_archive(raw_entry("x", b"x", central={"method": 9}, local={"method": 9})),
    "unknown-encoding": raw_archive(raw_entry("caf\u00e9", b"x", flags=0)),
    "directory-with-content": raw_archive(raw_entry("x/", b"x", mode=0o040755)),
    "directory-that-is-a-file": raw_archive(raw_entry("x", b"", mode=0o040755)),
    "CVE-2014-9390-case-of-directories": raw_archive(raw_entry("Telas/a.py", b""), raw_entry("telas/b.py", b"")),
    "NUL-in-a-name": raw_archive(raw_entry("x.py\0.txt", b"")),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_an_archive_with_more_than_one_reading_is_refused(data):
    with pytest.raises(IntegrityError):
        ModulePackage.from_archive(data)


def packed(stored, *, size):
    fields = {"method": 8, "packed": len(stored), "size": size, "crc": zlib.crc32(bytes(size))}
    return raw_archive(raw_entry("x.bin", stored, central=fields, local=fields))


def deflate(content):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(packed(deflate(bytes(100)), size=99), id="more-than-stated"),
        pytest.param(packed(deflate(bytes(100)), size=101), id="less-than-stated"),
        pytest.param(packed(deflate(bytes(100)) + b"hidden", size=100), id="hidden-after-the-stream"),
        pytest.param(packed(deflate(bytes(100))[:-1], size=100), id="cut-stream"),
        pytest.param(packed(b"\xff\xff\xff", size=100), id="no-stream"),
        pytest.param(packed(b"", size=0), id="empty-stream"),
    ],
)
def test_packed_content_that_is_not_as_stated_is_refused(data):
    """CWE-409: nothing that an archive says about its own sizes is believed."""
    with pytest.raises(IntegrityError):
        ModulePackage.from_archive(data)


def test_a_lying_bomb_costs_no_more_than_it_states():
    """Fifield: 10 bytes stated, 100 MiB inside; unpacking stops at the eleventh."""
    data = packed(deflate(bytes(100 * 2**20)), size=10)
    tracemalloc.start()
    try:
        with pytest.raises(IntegrityError):
            ModulePackage.from_archive(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20


def test_all_files_together_are_bounded():
    """CWE-409: each file is small enough, their sum is not."""
    noise = random.Random(0).randbytes(15 * 2**20)  # no zeros: the ratio is not what stops it
    with pytest.raises(IntegrityError, match=r"does not fit|larger"):
        ModulePackage.from_archive(archive([(f"f{n}", noise) for n in range(5)]))


@pytest.mark.parametrize("name", [".git/config", "__pycache__/vendas.cpython-313.pyc", "vendas.pyc", "__MACOSX/._x"])
def test_hidden_files_and_compiled_code_never_enter_a_package(name):
    """A package supplies no compiled code; and a directory and its zip have one digest, whatever lay beside."""
    package = ModulePackage.from_archive(archive([(entry(name), b"x")]))
    assert set(package.files) == set(GOOD)
    assert package.digest == ModulePackage.from_files(GOOD).digest


def test_an_archive_inside_is_only_data():
    """42.zip: nested archives are never opened."""
    assert "inner.zip" in ModulePackage.from_archive(archive([("inner.zip", archive([]))])).files


def test_a_named_pipe_is_refused_without_waiting(tmp_path):
    """CWE-400: opening a pipe would wait for its writer."""
    for name, content in GOOD.items():
        (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(IntegrityError, match="special file"):
        ModulePackage.from_directory(tmp_path)


@pytest.mark.parametrize("path", ["missing.zip", "."], ids=["missing", "directory"])
def test_what_cannot_be_read_is_refused(tmp_path, path):
    with pytest.raises(IntegrityError):
        ModulePackage.from_archive(tmp_path / path)


file_names = st.from_regex(r"[a-w][a-z0-9_]{0,8}(/[a-w][a-z0-9_]{0,8}){0,2}\.(txt|py)", fullmatch=True)
contents = st.binary(max_size=200).filter(lambda content: b"#" not in content and content.isascii())


@given(st.dictionaries(file_names, contents, max_size=5), st.booleans())
def test_what_the_standard_library_writes_is_read_as_it_was(files, is_packed):
    method = zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED
    files = {name: content for name, content in files.items() if name.split("/")[0] not in ("vendas.py", "con", "aux")}
    assert dict(ModulePackage.from_archive(archive(files.items(), method=method)).files) == GOOD | files


WHOLE = archive([("data.bin", b"data" * 50)], method=zipfile.ZIP_DEFLATED)


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_archive_is_refused_or_has_the_same_content(changes):
    data = bytearray(WHOLE)
    for place, value in changes:
        data[place] = value
    try:
        package = ModulePackage.from_archive(bytes(data))
    except (IntegrityError, ManifestError):
        return
    assert sorted(package.files.values()) == sorted(ModulePackage.from_archive(WHOLE).files.values())


@given(st.binary(max_size=300))
def test_any_bytes_are_an_archive_or_our_error(data):
    with pytest.raises((IntegrityError, ManifestError)):
        ModulePackage.from_archive(data)
