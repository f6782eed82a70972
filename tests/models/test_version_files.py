"""What a version folder may hold, and every way in which one can be other than it was saved."""

from __future__ import annotations

import errno
import hashlib
import json
import pickle
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from models import compatibility, registry, version_files
from models.registry import ModelError, SavedModel

ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "keys": np.array([1, 2**63], np.uint64)}
MANIFEST = {"rows": 3, "model": {"labels": ["甲", "乙"]}, "created_at": "2026-11-20", "measures": {"accuracy": 0.5}}


def encoder(folder: Path) -> Path:
    """Write what a transformer leaves: a folder of files, one in a folder of its own."""
    (folder / "net" / "onnx").mkdir(parents=True)
    save_file({"w": np.ones(3, np.float32)}, folder / "net" / "model.safetensors")
    (folder / "net" / "tokenizer.json").write_text("{}", "utf-8")
    (folder / "net" / "onnx" / "model.onnx").write_bytes(b"\x08\x01")
    return folder / "net"


@pytest.fixture
def done(tmp_path: Path) -> SavedModel:
    """Save a version with a folder beside it."""
    companions = {"lexicon.txt": "路灯".encode(), "transformer": encoder(tmp_path)}
    return registry.save(tmp_path / "models", "unit", ARRAYS, MANIFEST, companions, lambda m: f"# {m['version']}\n")


def test_files_and_folders_are_kept_beside_the_arrays(done: SavedModel, tmp_path: Path) -> None:
    found = registry.load(tmp_path / "models", "unit", done.version)
    assert found is not None
    assert set(found.manifest["files"]) == {
        "arrays.safetensors", "card.md", "lexicon.txt", "transformer/model.safetensors", "transformer/tokenizer.json",
        "transformer/onnx/model.onnx",
    }  # fmt: skip
    folder = found.companion("transformer")
    assert folder is not None
    assert (folder / "onnx" / "model.onnx").read_bytes() == b"\x08\x01"
    assert found.manifest["arrays"] == {"a": ["float32", [2, 3]], "keys": ["uint64", [2]]}
    assert (done.folder / "card.md").read_text("utf-8") == f"# {done.version}\n"
    assert not (folder / "tokenizer.json").samefile(tmp_path / "net" / "tokenizer.json")


@pytest.mark.parametrize(("changed", "same"), [
    ({"code_version": "9"}, True), ({"data": {"rows": 1}}, True), ({"libraries": {"rjieba": "0.2.2"}}, True), ({"lexicon": "x"}, False),
])  # fmt: skip
def test_where_a_version_comes_from_is_no_part_of_its_name(tmp_path: Path, changed: dict[str, Any], same: bool) -> None:
    one, other = (registry.save(tmp_path, "unit", ARRAYS, MANIFEST | more, {}, lambda m: str(m)).version for more in ({}, changed))
    assert (one == other) is same


@pytest.mark.parametrize("name", [
    "../a.txt", "/a.txt", "a/../b.txt", "a//b.txt", ".hidden.txt", "a/.b.txt", "a\\b.txt", "c:a.txt", "", ".", "a.pkl", "a.py", "a",
    "manifest.json", "arrays.safetensors", "net/model.bin",
])  # fmt: skip
def test_names_that_a_version_does_not_take(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="nothing was saved"):
        registry.save(tmp_path, "unit", ARRAYS, MANIFEST, {name: b"x"})
    assert [path.name for path in (tmp_path / "unit").iterdir()] == []


def test_links_are_not_followed(tmp_path: Path) -> None:
    folder = encoder(tmp_path)
    secret = tmp_path / "secret.txt"
    secret.write_text("x")
    (folder / "vocab.txt").symlink_to(secret)
    for companions in ({"net": folder}, {"vocab.txt": folder / "vocab.txt"}):
        with pytest.raises(ModelError, match="no plain file"):
            registry.save(tmp_path / "models", "unit", ARRAYS, MANIFEST, companions)


# -- tampering ---------------------------------------------------------------------------------------------------------


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def edit(folder: Path, change: Callable[[dict[str, Any]], object], *, sign: bool = False) -> None:
    """Change a manifest; `sign` it anew, as somebody would who knows how."""
    plain = json.loads((folder / "manifest.json").read_text("utf-8"))
    change(plain)
    if sign:
        plain["digest"] = version_files.manifest_digest(plain)
    (folder / "manifest.json").write_text(json.dumps(plain), "utf-8")


def link(path: Path) -> None:
    away = path.parents[3] / "away"
    shutil.move(path, away)
    path.symlink_to(away)


#: what is done to a version → what is told
TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "byte of the arrays": (lambda f: flip(f / "arrays.safetensors"), "arrays.safetensors: missing or changed"),
    "byte of the encoder": (lambda f: flip(f / "transformer/model.safetensors"), "model.safetensors: missing or changed"),
    "byte of the lexicon": (lambda f: flip(f / "lexicon.txt"), "lexicon.txt: missing or changed"),
    "byte of the card": (lambda f: flip(f / "card.md"), "card.md: missing or changed"),
    "file gone": (lambda f: (f / "transformer/tokenizer.json").unlink(), "tokenizer.json: missing or changed"),
    "file added": (lambda f: (f / "places.csv").write_text("x"), "places.csv: is not part of the version; it was put there"),
    "pickle added": (lambda f: (f / "hook.pkl").write_bytes(pickle.dumps(1)), "'hook.pkl' is of no kind that a version may hold"),
    "pickle in a folder": (lambda f: (f / "transformer/hook.pkl").write_bytes(b""), "of no kind that a version may hold"),
    "pickle listed": (lambda f: edit(f, lambda m: m["files"].update({"a.pkl": "0"})), "manifest was changed"),
    "file by a link": (lambda f: link(f / "lexicon.txt"), "is a link"),
    "folder by a link": (lambda f: link(f / "transformer"), "is a link"),
    "manifest by a link": (lambda f: link(f / "manifest.json"), "is a link"),
    "measures": (lambda f: edit(f, lambda m: m["measures"].update(accuracy=0.99)), "manifest was changed"),
    "digest left out": (lambda f: edit(f, lambda m: m.pop("digest")), "manifest was changed"),
    "labels, signed": (lambda f: edit(f, lambda m: m["model"]["labels"].reverse(), sign=True), "manifest was changed"),
    "no files": (lambda f: edit(f, lambda m: m.pop("files"), sign=True), "lists no files"),
    "files are a list": (lambda f: edit(f, lambda m: m.update(files=["a"]), sign=True), "lists no files"),
    "manifest is a list": (lambda f: (f / "manifest.json").write_text("[]"), "format None"),
    "other format": (lambda f: edit(f, lambda m: m.update(format="minqing/model/9"), sign=True), "use the minqing it was made with"),
    "other name": (lambda f: (f / "lexicon.txt").rename(f / "lexikon.txt"), "lexikon.txt: is not part"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_tampered_version_is_refused_and_never_serves(done: SavedModel, tmp_path: Path, how: str) -> None:
    root = tmp_path / "models"
    good = registry.save(root, "unit", ARRAYS, MANIFEST | {"rows": 4}, {}).version
    registry.promote(root, "unit", good)
    tamper, reason = TAMPERED[how]
    tamper(done.folder)
    with pytest.raises(ModelError, match=reason):
        registry.load(root, "unit", done.version)
    with pytest.raises(ModelError, match="nothing was promoted"):
        registry.promote(root, "unit", done.version)
    assert registry.champion(root, "unit") == good
    assert [entry.version for entry in registry.history(root, "unit")] == [good]


def resigned(folder: Path, change: Callable[[dict[str, Any]], object]) -> SavedModel | None:
    """Change a version as somebody would who knows how names and hashes are made, and load it."""
    plain = json.loads((folder / "manifest.json").read_text("utf-8"))
    plain["files"]["arrays.safetensors"] = version_files.digest(folder / "arrays.safetensors")
    change(plain)
    plain["version"] = version_files.name_of("unit", plain, plain["files"])
    plain["digest"] = version_files.manifest_digest(plain)
    (folder / "manifest.json").write_text(json.dumps(plain), "utf-8")
    folder.rename(folder.parent / plain["version"])
    return registry.load(folder.parents[1], "unit", plain["version"])


@pytest.mark.parametrize("arrays", [
    ARRAYS | {"a": ARRAYS["a"].astype(np.float64)}, ARRAYS | {"a": ARRAYS["a"].ravel()}, ARRAYS | {"more": ARRAYS["a"]}, {"a": ARRAYS["a"]},
])  # fmt: skip
def test_arrays_that_are_not_what_the_manifest_states(done: SavedModel, arrays: dict[str, np.ndarray]) -> None:
    save_file(arrays, done.folder / "arrays.safetensors")
    with pytest.raises(ModelError, match="other arrays than the manifest states"):
        resigned(done.folder, lambda _: None)


@pytest.mark.parametrize("name", ["../../../secret.txt", "/etc/hosts.txt", "hook.pkl"])
def test_a_manifest_that_points_elsewhere(done: SavedModel, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.txt").write_text("x")
    with pytest.raises(ModelError, match="the manifest lists"):
        resigned(done.folder, lambda m: m["files"].update({name: hashlib.sha256(b"x").hexdigest()}))


@pytest.mark.parametrize("pointer", ["../unit-000000000000", "/etc", "unit-1", "issue_type-000000000000", ""])
def test_a_pointer_that_is_no_version(done: SavedModel, pointer: str) -> None:
    (done.folder.parent / "champion").write_text(pointer)
    with pytest.raises(ModelError, match="no name of a version"):
        registry.load(done.folder.parents[1], "unit")


def test_training_again_mends_a_damaged_version(done: SavedModel, tmp_path: Path) -> None:
    flip(done.folder / "arrays.safetensors")
    companions = {"lexicon.txt": "路灯".encode(), "transformer": tmp_path / "net"}
    again = registry.save(tmp_path / "models", "unit", ARRAYS, MANIFEST, companions)
    assert again.version == done.version
    assert registry.load(tmp_path / "models", "unit", done.version) is not None
    assert sorted(path.name for path in done.folder.parent.iterdir()) == [".lock", done.version]


# -- earlier versions, other libraries ---------------------------------------------------------------------------------


def test_a_version_from_before_there_was_a_digest_loads(tmp_path: Path) -> None:
    draft = tmp_path / "unit" / "draft"
    draft.mkdir(parents=True)
    save_file(ARRAYS, draft / "arrays.safetensors")
    files = {"arrays.safetensors": version_files.digest(draft / "arrays.safetensors")}
    essence = {"rows": 3, "model": {"labels": ["甲"]}}
    identity = json.dumps(["minqing/model/1", essence, files], sort_keys=True, ensure_ascii=False)
    name = "unit-" + hashlib.blake2b(identity.encode(), digest_size=6).hexdigest()
    plain = {"format": "minqing/model/1", "version": name, "created_at": "2026-09-01", **essence, "files": files}
    (draft / "manifest.json").write_text(json.dumps(plain), "utf-8")
    draft.rename(tmp_path / "unit" / name)
    registry.promote(tmp_path, "unit", name)
    found = registry.load(tmp_path, "unit")
    assert found is not None
    assert found.arrays["keys"].tolist() == [1, 2**63]


@pytest.mark.parametrize(("made", "here", "told"), [
    ({"numpy": "2.4.6"}, {"numpy": "2.4.6"}, ()),
    ({"numpy": "1.9"}, {"numpy": "2.4.6"}, ("made with numpy 1.9, here is 2.4.6",)),
    ({"rjieba": "1.2.0"}, {"rjieba": "1.9.0"}, ("made with rjieba 1.2.0, here is 1.9.0",)),
    ({"rjieba": "0.2.2"}, {"rjieba": "0.2.9"}, ("made with rjieba 0.2.2, here is 0.2.9",)),
    ({"rjieba": "0.2.2"}, {"rjieba": "0.3.0"}, None),
    ({"rjieba": "1.2.0"}, {"rjieba": "2.0.0"}, None),
    ({"rjieba": "0.2.2"}, {}, ("rjieba 0.2.2 is not installed here; the reference segmenter (jieba) cuts the same words, slower",)),
    ({"torch": "2.9"}, {}, ("made with torch 2.9, here is none",)),
])  # fmt: skip
def test_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: dict[str, str], here: dict[str, str], told: tuple[str, ...] | None
) -> None:
    monkeypatch.setattr(compatibility, "_installed", here.get)
    name = registry.save(tmp_path, "unit", ARRAYS, MANIFEST | {"libraries": made}, {}).version
    if told is None:
        with pytest.raises(ModelError, match=r"it may cut words otherwise .*; install rjieba=="):
            registry.load(tmp_path, "unit", name)
    else:
        found = registry.load(tmp_path, "unit", name)
        assert found is not None
        assert found.notes == told


def test_code_version_names_the_release() -> None:
    assert compatibility.code_version().split("+g")[0].count(".") == 2


# -- hashing and the disk ----------------------------------------------------------------------------------------------


def test_big_files_are_not_read_for_those_who_do_not_use_them(done: SavedModel, tmp_path: Path) -> None:
    flip(done.folder / "transformer/model.safetensors")
    assert registry.load(tmp_path / "models", "unit", done.version, arrays=False) is not None
    (done.folder / "transformer/model.safetensors").unlink()
    with pytest.raises(ModelError, match="missing or changed"):
        registry.load(tmp_path / "models", "unit", done.version, arrays=False)


def test_a_file_is_hashed_once_and_again_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = hashlib.file_digest

    def counted(file: Any, name: str) -> Any:
        read.append(file.name)
        return real(file, name)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    path = tmp_path / "a.txt"
    path.write_text("1")
    one = version_files.digest(path)
    assert (version_files.digest(path), len(read)) == (one, 2)  # too fresh to be sure of
    monkeypatch.setattr(version_files, "_SETTLED_NS", -1)
    assert {version_files.digest(path) for _ in range(3)} == {one}
    assert len(read) == 3
    time.sleep(0.01)
    path.write_text("2")
    assert version_files.digest(path) != one


@pytest.mark.parametrize("where", ["models.registry.save_file", "pathlib.Path.write_bytes", "os.fsync"])
def test_a_full_disk_while_saving_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(where, full)
    with pytest.raises(ModelError, match="could not be saved .No space left on device.; free space"):
        registry.save(tmp_path, "unit", ARRAYS, MANIFEST, {"lexicon.txt": b"x"})
    assert not [path for path in (tmp_path / "unit").iterdir() if path.name != ".lock"]
