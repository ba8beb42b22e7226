"""The one reader of our TOML files: whatever does not fit is refused with the file, the key and what to do."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
from msgspec import Meta, field

from questionnaires.catalogue import read_life_domains
from questionnaires.reading import DefinitionError, FilePlace, Name, OneLine, Strict, convert, read
from questionnaires.wording import read_wording
from questionnaires.writing import definition_toml


class Leaf(Strict, frozen=True):
    """One entry of the lists and tables below."""

    kind: Literal["branch", "bud"]
    size: int = 0
    tags: tuple[str, ...] = ()


class Tree(Strict, frozen=True):
    """A table with one of everything."""

    name: Name
    title: OneLine
    tall: bool = False
    leaves: tuple[Leaf, ...] = ()
    named: dict[str, Leaf] = field(default_factory=dict)
    nested: dict[str, dict[str, Leaf]] = field(default_factory=dict)
    first: Leaf | None = None
    height: Annotated[int | float | Literal[False], Meta(description="is {value!r}; write a number, or false")] = False


GOOD = {"name": "old-oak", "title": "The old oak"}


def test_what_fits_is_read_with_its_defaults():
    read_ = convert(GOOD | {"leaves": [{"kind": "bud"}], "height": 12}, Tree, FilePlace("tree.toml"))
    assert (read_.name, read_.leaves, read_.height, read_.first) == ("old-oak", (Leaf("bud"),), 12, None)


REFUSED = [
    ({"titel": "x"}, "titel: is not a known key; the keys here are first, height, leaves, name, named, nested"),
    ({"leaves": [{"kind": "bud"}, {"kind": "bud", "seize": 1}]}, "leaves[2].seize: is not a known key"),
    ({"named": {"a": {"kind": "bud"}, "b": {"kid": "bud"}}}, "named.b.kid: is not a known key"),
    ({"named": {"a": {"kind": "bud"}, "b-c": {"kind": "leaf"}}}, "named.b-c.kind: is 'leaf'; it must be one of branch"),
    (
        {"nested": {"a": {"x": {"kind": "bud"}}, "b": {"x": {"kind": "bud"}, "y": {}}}},
        "nested.b.y.kind: is missing; it must be one of branch, bud",
    ),
    ({"first": {}}, "first.kind: is missing"),
    ({"first": 3}, "first: is 3; it must be a table"),
    ({"name": "Old Oak"}, "name: is 'Old Oak'; use small letters, digits and single hyphens"),
    ({"name": 7}, "name: is 7; it must be a text"),
    ({"title": ""}, "title: is empty or has space at its ends"),
    ({"title": "x\n"}, "title: is empty or has space at its ends"),
    ({"tall": 1}, "tall: is 1; it must be true or false"),
    ({"leaves": {}}, "leaves: is {}; it must be a list"),
    ({"leaves": [{"kind": "bud", "size": True}]}, "leaves[1].size: is True; it must be a whole number"),
    ({"leaves": [{"kind": "bud", "tags": ["a", 2]}]}, "leaves[1].tags[2]: is 2; it must be a text"),
    ({"height": True}, "height: is True; write a number, or false"),
    ({"height": "high"}, "height: is 'high'; write a number, or false"),
    ({"tall": "x" * 500}, "tall: is 'xxxxx"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_what_does_not_fit_is_refused_with_its_key(change, message):
    with pytest.raises(DefinitionError) as refused:
        convert(GOOD | change, Tree, FilePlace("tree.toml"))
    assert str(refused.value).startswith(f"tree.toml: {message}")
    assert len(str(refused.value)) < 200


def test_a_missing_key_is_named_with_its_kind():
    with pytest.raises(DefinitionError, match=r"^tree\.toml: title: is missing; it must be a text$"):
        convert({"name": "oak"}, Tree, FilePlace("tree.toml"))


def test_the_place_of_a_part_comes_before_its_own_keys():
    with pytest.raises(DefinitionError, match=r"^trees\.toml: oak\.leaves\[1\]\.kind: is missing"):
        convert(GOOD | {"leaves": [{}]}, Tree, FilePlace("trees.toml", "oak"))


def test_a_list_in_the_place_of_a_file_is_refused():
    with pytest.raises(DefinitionError, match=r"^tree\.toml: is \[1\]; it must be a table"):
        convert([1], Tree, FilePlace("tree.toml"))


def test_a_file_is_named_by_its_name(tmp_path: Path):
    (tmp_path / "tree.toml").write_text('name = "oak"\ntitle = "Oak"\ncolour = "green"\n')
    with pytest.raises(DefinitionError, match=r"^tree\.toml: colour: is not a known key"):
        read(tmp_path / "tree.toml", Tree)


def test_an_error_travels_between_processes():
    error = pickle.loads(pickle.dumps(DefinitionError("tree.toml", "name", "is missing")))
    assert (error.file, error.key, error.problem) == ("tree.toml", "name", "is missing")


# ---- every file is read so -------------------------------------------------------------------------------------------

WORDS = {"nl": "a", "en": "b"}


def test_a_misspelt_key_of_a_life_domain_is_refused(tmp_path: Path):
    domain = {"code": "housing", "title": WORDS, "question": WORDS, "help": WORDS, "familly": True}
    (tmp_path / "life.toml").write_text(definition_toml({"domains": [domain]}))
    with pytest.raises(DefinitionError, match=r"^life\.toml: domains\[1\]\.familly: is not a known key"):
        read_life_domains(tmp_path / "life.toml")


def test_a_misspelt_key_of_a_wording_file_is_refused(tmp_path: Path):
    (tmp_path / "w.toml").write_text(
        'instrument = "hoop"\nversion = "2.0.0"\nsource = "Letter"\ncopyright = { nl = "©" }\n'
        '[[items]]\nitem = "01"\nnl = "Zin"\ndimensie = "x"\n'
    )
    with pytest.raises(DefinitionError, match=r"^w\.toml: items\[1\]\.dimensie: is not a known key"):
        read_wording(tmp_path / "w.toml")


def test_a_byte_order_mark_in_front_is_not_part_of_the_file(tmp_path):
    path = tmp_path / "tree.toml"
    path.write_text('name = "old-oak"\ntitle = "The old oak"\n', encoding="utf-8-sig")
    assert read(path, Tree) == convert(GOOD, Tree, FilePlace("tree.toml"))


MEETING_NEW_TYPES = '''
import sys, threading
from questionnaires.reading import FilePlace, Name, Strict, convert

sys.setswitchinterval(1e-6)
TYPES = """
class Leaf(Strict):
    name: Name
    more: dict[str, tuple[Name, ...]] = {}
class Tree(Strict):
    leaves: tuple[Leaf, ...]
    named: dict[str, Leaf] = {}
"""

def meet(tree, gate):
    gate.wait()
    convert({"leaves": [{"name": "a"}]}, tree, FilePlace("tree.toml"))

for _ in range(60):
    names = {"Strict": Strict, "Name": Name, "__name__": __name__}
    exec(TYPES, names)
    gate = threading.Barrier(4)
    threads = [threading.Thread(target=meet, args=(names["Tree"], gate)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
'''


def test_threads_that_read_the_first_file_of_a_kind_together_do_not_end_the_process():
    done = subprocess.run([sys.executable, "-c", MEETING_NEW_TYPES], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
