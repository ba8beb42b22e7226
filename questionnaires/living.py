"""What the keys of a living form may say together, and that no other kind of definition has them.

The strict reader knows which keys there are; what one key demands of another is checked here, before anything is made
of the file. What one form says of another can be checked only once all are read: `check_ends`, `check_offer`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from questionnaires.canonical import structure_url
from questionnaires.model import Group, Instrument, Item, ItemKind, Living, Text
from questionnaires.reading import FilePlace, Strict
from questionnaires.tables import GroupTable, InstrumentTable, ItemTable

LIFE_DOMAIN: Final = "life-domain"
"""The scale that every living form has without writing it: the life domains of the plan."""
GOAL: Final = "goal"
"""Where words become a goal of the client instead of an answer in a living form."""

LONGEST_YES: Final = 12
"""For how many months it is kept that somebody found their words still so."""

# The keys of living forms, with what stands there when a definition says nothing.
_OF_GROUPS: Final = {"many": False, "per": "", "ordered": False, "add": None, "columns": False}
_OF_ITEMS: Final = {"many": False, "who": "client", "prompts": (), "rows": None} | {
    "today": False,
    "day": "",
    "card": False,
    "off_card": None,
    "becomes": None,
    "offer": False,
    "changes_goal": None,
    "ends_goal": None,
    "was": None,
}
_KINDS: tuple[ItemKind, ...] = ("line", "date", "goal")
# What names a row must be one short answer: a word, a choice, a goal.
_NAMES_A_ROW: tuple[ItemKind, ...] = ("text", "line", "choice", "goal")
_SEVERAL: tuple[ItemKind, ...] = ("text", "line", "choice")
_TYPED: tuple[ItemKind, ...] = ("text", "line")
MOST_ROWS: Final = 40
MOST_COLUMNS: Final = 3
STEP_OF_ALL: Final = "all"
"""What the page with all questions is called in an address: no group or question has that name."""
KEPT_FOR_ADDRESSES: Final = frozenset({"goal", "take", "theme"})
"""What the app's own pages below a form are called: `<form>/goal/new` would not make a row of a group "goal"."""
KEPT_FOR_THE_PLAN: Final = frozenset({"domains", "phase", "plan"})
"""What is offered beside living forms where two people begin to write."""


def check(top: FilePlace, table: InstrumentTable) -> None:
    """Refuse a living form that can't be, and in any other definition what only living forms have."""
    if table.kind != "living":
        _refuse_living_keys(top, table)
        return
    living = table.living
    if living is None:
        raise top.error("living", 'is missing; a definition of kind "living" says how it is shown')
    _refuse_kept_names(top, table)
    for place, group in top.each("groups", table.groups):
        _check_group(place, group)
        for one, item in place.each("items", group.items):
            _check_item(one, item, group, living)
            _refuse_itself(one, item, table.id)
            _check_off_card(one, item, group, table)
            _check_of_goal(one, item, group, table)
    _check_conditions(top, table)
    _check_shown(top.at("living"), table, living)


# ---- other kinds -----------------------------------------------------------------------------------------------------


def _refuse_living_keys(top: FilePlace, table: InstrumentTable) -> None:
    _refuse_given(top, table, {"living": None})
    for place, group in top.each("groups", table.groups):
        _refuse_given(place, group, _OF_GROUPS)
        for one, item in place.each("items", group.items):
            _refuse_given(one, item, _OF_ITEMS)
            for key, value, living in (("kind", item.kind, _KINDS), ("scale", item.scale, (LIFE_DOMAIN,))):
                if value in living:
                    problem = f'is {value!r}, which is for definitions of kind "living"; choose another'
                    raise one.error(key, problem)


def _refuse_given(place: FilePlace, table: Strict, absent: Mapping[str, object]) -> None:
    for key, value in absent.items():
        if getattr(table, key) != value:
            raise place.error(key, 'is for definitions of kind "living"; leave it out')


# ---- groups and items ------------------------------------------------------------------------------------------------


def _refuse_kept_names(top: FilePlace, table: InstrumentTable) -> None:
    """Refuse a name under which a page of the form could not be opened: another page has that address."""
    if table.id in KEPT_FOR_THE_PLAN:
        raise top.error("id", f"is {table.id!r}, which is kept for a page beside living forms; choose another")
    for place, group in top.each("groups", table.groups):
        items = () if group.many else tuple(place.each("items", group.items))
        kept = {STEP_OF_ALL, *(KEPT_FOR_ADDRESSES if group.many else ())}
        for one, name in ((place, group.id), *((each, item.id) for each, item in items)):
            if name in kept:
                raise one.error("id", f"is {name!r}, which is kept for another page of the form; choose another")


def _check_group(place: FilePlace, group: GroupTable) -> None:
    if not group.many:
        for key in ("per", "ordered", "add", "columns"):
            if getattr(group, key):
                raise place.error(key, "is for a group with rows; add many = true, or leave it out")
        return
    if not group.items:
        raise place.error("items", "is empty; a group has at least one item")
    first = group.items[0]
    if first.kind not in _NAMES_A_ROW or first.many:
        problem = (
            f"starts with {first.id!r}; the first item names the row, with one answer: a text, line, choice or goal"
        )
        raise place.error("items", problem)
    if first.who != "client":
        problem = (
            f"starts with {first.id!r}, which is of a {first.who}; the first item names the row, and is the client's"
        )
        raise place.error("items", problem)
    if group.per == "domain" and first.scale != LIFE_DOMAIN:
        raise place.error("per", f"is 'domain', but {first.id!r} is not; its first item has scale = {LIFE_DOMAIN!r}")
    if group.per == "goal" and first.kind != "goal":
        raise place.error("per", f"is 'goal', but {first.id!r} is not; its first item has kind = 'goal'")
    answers = [item for item in group.items[1:] if not item.today]
    if group.columns and not 2 <= len(answers) <= MOST_COLUMNS:
        problem = f"is for rows of two or three answers, each in its column; these have {len(answers)}"
        raise place.error("columns", problem)


def _check_item(place: FilePlace, item: ItemTable, group: GroupTable, living: Living) -> None:
    if item.many and item.kind not in _SEVERAL:
        raise place.error("many", f"is for a text, line or choice; this is a {item.kind}")
    if item.rows is not None:
        if item.kind not in _TYPED:
            raise place.error("rows", f"is for a text or line; this is a {item.kind}")
        if not 1 <= item.rows <= MOST_ROWS:
            raise place.error("rows", f"is {item.rows}; it must be from 1 to {MOST_ROWS}")
    _check_date(place, item, group)
    if item.card and not living.card:
        raise place.error("card", "is true, but the form has no card; set card = true in [living]")
    if item.becomes and item.kind not in _SEVERAL:
        raise place.error("becomes", f"is for words: a text, line or choice; this is a {item.kind}")
    if item.offer:
        _check_offered(place, item, group)
    if item.was and item.kind not in _TYPED:
        raise place.error("was", f"is for a text or line; this is a {item.kind}")


def _check_offered(place: FilePlace, item: ItemTable, group: GroupTable) -> None:
    if item.kind == "line" and (group.many or not item.many):
        raise place.error("offer", "is for a line outside a group with rows, which takes several; add many = true")
    if item.kind != "line" and (item.kind != "choice" or item.scale == LIFE_DOMAIN):
        problem = "is for a choice from answers of its own, of each of which the place has something, or for a line"
        raise place.error("offer", problem)


def _check_date(place: FilePlace, item: ItemTable, group: GroupTable) -> None:
    if item.today and (item.kind != "date" or not group.many):
        raise place.error("today", "is for a date in a group with rows: the day on which the row was written")
    if item.day and (item.kind != "date" or item.today):
        raise place.error("day", "is for a date that somebody fills in: whether it has been, or is still to come")


def _refuse_itself(place: FilePlace, item: ItemTable, form: str) -> None:
    if item.becomes == f"{form}-{item.id}":
        raise place.error("becomes", "is this very item; name another, or leave it out")


def _check_off_card(place: FilePlace, item: ItemTable, group: GroupTable, table: InstrumentTable) -> None:
    """Refuse an answer that keeps a row off the card where no row is on it, or that nobody can give."""
    if item.off_card is None:
        return
    if not group.many or not any(one.card for one in group.items):
        raise place.error("off_card", "is for a group with rows of which something stands on the card")
    codes = _codes_of(item, table)
    if item.many or item.off_card not in codes:
        raise place.error("off_card", f"is {item.off_card!r}; it must be one answer of a choice: {', '.join(codes)}")


def _check_of_goal(place: FilePlace, item: ItemTable, group: GroupTable, table: InstrumentTable) -> None:
    """Refuse an answer that offers to change or end a goal where no row is about one, or that nobody can give."""
    codes = _codes_of(item, table)
    for key, code in (("changes_goal", item.changes_goal), ("ends_goal", item.ends_goal)):
        if code is None:
            continue
        if group.per != "goal":
            raise place.error(key, "is for a group with rows about goals; it has per = 'goal'")
        if item.kind != "choice" or item.many or code not in codes:
            raise place.error(key, f"is {code!r}; it must be one answer of a choice: {', '.join(codes) or 'none'}")


def _codes_of(item: ItemTable, table: InstrumentTable) -> list[str]:
    """Return the codes of the answers that a choice offers; none for what has no answers of its own."""
    scale = next((one for one in table.scales if one.name == item.scale), None)
    return [option.code for option in scale.options] if scale is not None else []


def _check_conditions(top: FilePlace, table: InstrumentTable) -> None:
    """Refuse a condition into or out of a group with rows: it would not say which row is meant."""
    home = {item.id: group for group in table.groups for item in group.items}
    for place, group in top.each("groups", table.groups):
        for one, item in place.each("items", group.items):
            asked = home.get(item.enable_when.item) if item.enable_when else None
            if asked is not None and asked is not group and (asked.many or group.many):
                problem = "is in another group, and one of the two has rows; ask for an item of the same group"
                raise one.at("enable_when").error("item", problem)


# ---- how it is shown -------------------------------------------------------------------------------------------------


def _check_shown(place: FilePlace, table: InstrumentTable, living: Living) -> None:
    if living.card and not any(item.card for group in table.groups for item in group.items):
        raise place.error("card", "is true, but nothing goes on it; set card = true on what does")
    review = living.review
    if review is None:
        return
    if review.months < 1:
        raise place.at("review").error("months", f"is {review.months}; it must be 1 or more")
    if review.yes and review.months > LONGEST_YES:
        problem = f"is {review.months}; yes is kept {LONGEST_YES} months; make it that or less, or leave out yes"
        raise place.at("review").error("months", problem)
    dates = [item.id for group in table.groups if not group.many for item in group.items if item.kind == "date"]
    if review.item and review.item not in dates:
        problem = f"is {review.item!r}; the dates outside groups with rows are {', '.join(dates) or 'none'}"
        raise place.at("review").error("item", problem)


# ---- between forms ---------------------------------------------------------------------------------------------------


def check_names(forms: Iterable[tuple[str, Instrument]]) -> None:
    """Refuse a second item of one linkId, as of `a-b` in form `c` and `b` in form `c-a`: words go by that."""
    asked: dict[str, str] = {}
    for file, form in forms:
        for place, group in FilePlace(file).each("groups", form.groups):
            for one, item in place.each("items", group.items):
                if item.link_id in asked:
                    raise one.error("id", f"gives the linkId {item.link_id!r}, which {asked[item.link_id]} has too")
                asked[item.link_id] = file


def check_ends(forms: Iterable[tuple[str, Instrument]]) -> None:
    """Refuse an item whose words would go where nothing takes them. `forms`: each living form with its file's name."""
    known = tuple(forms)
    takes = {item.link_id for _, form in known for item in form.items if item.kind in _TYPED}
    for file, form in known:
        for place, becomes in _ends(FilePlace(file), form):
            if becomes != GOAL and becomes not in takes:
                problem = f"is {becomes!r}; it must be {GOAL!r}, or <form>-<item> of a text or line of a living form"
                raise place.error("becomes", problem)


def check_offer(forms: Iterable[tuple[str, Instrument]]) -> None:
    """Refuse a second item beside whose answers stands what the place has: its file names answers of one.

    Of the items whose answers are names of that there is one too, and only beside the other.
    """
    asked: dict[ItemKind, tuple[str, FilePlace]] = {}
    for file, form in forms:
        for place, group in FilePlace(file).each("groups", form.groups):
            for one, item in place.each("items", group.items):
                if not item.offer:
                    continue
                if item.kind in asked:
                    first, _ = asked[item.kind]
                    raise one.error("offer", f"is true, but {first} has it already; there is one in all living forms")
                asked[item.kind] = item.link_id, one
    if "line" in asked and "choice" not in asked:
        raise asked["line"][1].error("offer", "is true, but no choice has it, to which what a place has could belong")


def check_was(forms: Iterable[tuple[str, Instrument]]) -> None:
    """Refuse a second item with the words of one extension, which would be shown twice, and a second one of a form."""
    items: dict[str, str] = {}
    for file, form in forms:
        here = ""
        for place, group in FilePlace(file).each("groups", form.groups):
            for one, item in place.each("items", group.items):
                if not item.was:
                    continue
                if item.was in items:
                    raise one.error("was", f"is {item.was!r}, of which {items[item.was]} has the words; leave it out")
                if here:
                    raise one.error("was", f"is the second in this form, after {here}; a form takes over one")
                items[item.was] = here = item.link_id


def _ends(top: FilePlace, form: Instrument) -> Iterator[tuple[FilePlace, str]]:
    for place, group in top.each("groups", form.groups):
        for one, item in place.each("items", group.items):
            if item.becomes:
                yield one, item.becomes


# ---- all its words ---------------------------------------------------------------------------------------------------


def words_around(form: Instrument) -> Iterator[tuple[str, Text]]:
    """Yield all that a living form says around its questions, each text with its place; nothing for another kind."""
    if form.living is None:
        return
    shown, review = form.living.overview, form.living.review
    names = ("invitation", "write", "change", "saved", "emptied", "carried", "summary")
    said = {name: getattr(form.living, name) for name in names}
    said |= {"overview.title": shown.title, "overview.empty": shown.empty} if shown else {}
    said |= {"review.question": review.question, "review.yes": review.yes} if review else {}
    for group in form.groups:
        said |= {f"{group.link_id} {name}": getattr(group, name) for name in ("title", "help", "add")}
        for item in group.items:
            said[f"{item.link_id} help"] = item.help
            said |= {f"{item.link_id} prompt {number}": one for number, one in enumerate(item.prompts, start=1)}
    yield from ((place, text) for place, text in said.items() if text is not None)


# ---- what was elsewhere before ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlanPart:
    """Words that plans had in an extension of the CarePlan before there were living forms: now the item has them."""

    form: Instrument
    group: Group
    item: Item

    @property
    def code(self) -> str:
        """Return what the plan calls these words: the id of the form."""
        return self.form.id

    @property
    def title(self) -> Text:
        """Return the client's heading."""
        return self.form.title

    @property
    def many(self) -> bool:
        """Tell whether there are several texts, such as strengths, instead of one."""
        return self.group.many or self.item.many

    @property
    def step(self) -> str:
        """Return what the page that asks for these words is called: the name of the group or item, without the form."""
        return (self.group.link_id if self.group.many else self.item.link_id).removeprefix(f"{self.form.id}-")

    @property
    def url(self) -> str:
        """Return the address of the extension."""
        return structure_url(self.item.was)


def plan_parts(forms: Iterable[Instrument]) -> Iterator[PlanPart]:
    """Yield what these forms have taken over from the CarePlan."""
    for form in forms:
        for group in form.groups:
            yield from (PlanPart(form, group, item) for item in group.items if item.was)
