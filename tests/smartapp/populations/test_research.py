"""Research files: read back by other programs, with numbers, labels and reasons, and nobody in them by name."""

from __future__ import annotations

import csv
import gzip
import json
import re
import zipfile
from itertools import pairwise

import orjson
import pyarrow.parquet as pq
import pyrage
import pyreadstat
import pytest
from click.testing import CliRunner
from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from mappers.research import MISSING
from mappers.reuse import Reuse, consent_of
from mappers.sharing import ME, Sharing
from mappers.sharing import consent_of as sharing_consent
from smartapp.cli import main
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.own.tables import resource_versions
from smartapp.fhir.store import Refused, Write
from smartapp.populations.research import Gathered
from smartapp.services import KEY
from tests.mappers.build import CATALOGUE, all_answered, response
from tests.smartapp.commands.test_export import Place
from tests.smartapp.helpers import EHR

PEOPLE = [f"p{number}-secret" for number in range(8)]
HOLDER = pyrage.x25519.Identity.generate()
NEEDED = ["--by", "D. Manager", "--purpose", "recovery", "--key-holder", "K. Holder"]


def consent(who, decision="permit", status="active", dated="2026-01-01", **provision):
    scope = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}]}
    patient = {"reference": f"Patient/{who}"}
    given = {"type": decision, **provision}
    return {
        "resourceType": "Consent", "status": status, "scope": scope, "patient": patient, "dateTime": dated,
        "provision": given,
    }  # fmt: skip


def sent(who, day, values, instrument="hoop", **changes):
    whose = {"reference": f"Patient/{who}", "display": f"Name of {who}"}
    return response(
        instrument, values, id=f"{instrument}-{who}-{day}", authored=f"{day}T10:00:00+02:00", subject=whose,
        identifier=None, author=whose, source=whose, **changes,
    )  # fmt: skip


def population():
    """Eight people at begin, seven of them at end, five in the middle; one did not answer item 1 at begin."""
    made = []
    for number, who in enumerate(PEOPLE):
        begin = all_answered("hoop", "2")
        if number == 0:
            del begin["hoop-01"]
        made.append(sent(who, "2025-01-10", begin))
        if number < 7:
            made.append(sent(who, "2026-01-10", all_answered("hoop", "2") | {"hoop-01": "3", "hoop-02": "3"}))
        if number < 5:
            made.append(sent(who, "2025-07-10", all_answered("hoop", "2")))
    return made


@pytest.fixture
def export(tmp_path):
    def run(responses, *options, consents=None, to="study"):
        lines = [orjson.dumps(one) for one in responses]
        (tmp_path / "responses.ndjson").write_bytes(b"\n".join(lines))
        given = [consent(who) for who in PEOPLE] if consents is None else consents
        (tmp_path / "consents.ndjson").write_bytes(b"\n".join(map(orjson.dumps, given)))
        folder, key = tmp_path / to, tmp_path / f"{to}.age"
        done = CliRunner().invoke(
            main,
            ["export", "research", str(tmp_path / "responses.ndjson"), "--to", str(folder), *NEEDED, "--consents",
             str(tmp_path / "consents.ndjson"), "--key-for", str(HOLDER.to_public()), "--key-out", str(key),
             *(options if "--format" in options else ("--format", "csv", *options))],
        )  # fmt: skip
        return done, folder, key

    return run


def rows(folder, table):
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_scores_are_those_of_verstel_score(export, tmp_path):
    done, folder, _ = export(population())
    assert done.exit_code == 0, done.output
    scored = CliRunner().invoke(main, ["score", str(tmp_path / "responses.ndjson")])
    expected = sorted(
        (one["code"]["coding"][0]["code"], float(one["valueQuantity"]["value"]))
        for one in map(json.loads, scored.stdout.splitlines())
        if "valueQuantity" in one and "2025-07" not in one["effectiveDateTime"]
    )
    given = sorted(
        (row["code"], float(row["value"]))
        for row in rows(folder, "long")
        if row["kind"] == "score" and not row["missing"]
    )
    assert given == expected
    # HOOP with all 2s: ten of 2, and the reversed 3 and 6 count 5 - 2 = 3: 10 x 2 + 2 x 3 = 26. With 3 for 1 and 2: 28.
    assert {value for code, value in given if code == "hoop-total"} == {26.0, 28.0}


def test_wide_has_one_row_per_person_and_the_reason_of_what_is_missing(export):
    _, folder, _ = export(population())
    wide = rows(folder, "wide")
    assert len(wide) == len({row["respondent"] for row in wide}) == 8
    assert not any("middle" in name for name in wide[0])  # five people only
    assert sorted(row["hoop_01_begin"] for row in wide) == ["-1", *["2"] * 7]
    assert sorted(row["hoop_total_begin"] for row in wide) == ["-3", *["26"] * 7]
    assert sorted(row["hoop_01_end"] for row in wide) == ["-5", *["3"] * 7]
    assert {row["hoop_day_end"] for row in wide} == {"365", "-5"}  # 10 January 2025 to 10 January 2026


def test_a_form_that_somebody_never_sent_is_another_reason_than_not_at_this_moment(export):
    mansa = [sent(who, "2025-01-10", all_answered("mansa", "4"), "mansa") for who in PEOPLE[:6]]
    _, folder, _ = export([*population(), *mansa])
    assert sorted(row["mansa_01_begin"] for row in rows(folder, "wide")) == ["-4", "-4", *["4"] * 6]


def test_the_change_table_is_paired(export):
    _, folder, _ = export(population())
    change = {row["code"]: row for row in rows(folder, "change")}
    # Seven have an end; the first of them has no total at begin. Six went from 26 to 28: change 2, sd 0.
    total = change["hoop-total"]
    assert (total["n"], float(total["mean_begin"]), float(total["mean_end"])) == ("6", 26, 28)
    assert (float(total["mean_change"]), float(total["sd_change"])) == (2, 0)
    assert total["reliable_change"] == "no source"


def test_a_change_of_fewer_than_six_pairs_is_not_said(export):
    responses = [one for one in population() if not one["id"].startswith("hoop-p6")]
    _, folder, _ = export(responses)
    total = next(row for row in rows(folder, "change") if row["code"] == "hoop-total")
    assert (total["n"], total["mean_change"], total["remark"]) == ("", "", "fewer than 6 people")


def test_a_count_of_few_does_not_follow_from_the_total(export):
    _, folder, _ = export(population())
    found = [row for row in rows(folder, "frequencies") if (row["moment"], row["code"]) == ("begin", "hoop-01")]
    # One did not answer and seven gave 2, of eight: to say seven is to say one.
    assert {(row["value"], row["people"]) for row in found} == {("2", ""), ("-1", "")}
    other = [row for row in rows(folder, "frequencies") if (row["moment"], row["code"]) == ("begin", "hoop-02")]
    assert [(row["value"], row["people"], row["label"]) for row in other] == [("2", "8", "mee oneens")]


def test_what_fewer_than_six_people_sent_in_is_left_out_and_said(export):
    done, folder, _ = export(population())
    assert {row["moment"] for row in rows(folder, "long")} == {"begin", "end"}
    assert "left out: hoop|1.0.0, middle: fewer than 6 people" in done.stderr
    assert "hoop 1.0.0, middle: fewer than 6 people" in (folder / "codebook.md").read_text()


def test_fewer_than_six_people_give_no_files_and_no_key(export):
    done, folder, key = export([one for one in population() if one["id"] < "hoop-p5"])
    assert done.exit_code == 1
    assert "no questionnaire was sent in at one moment by 6 people or more" in done.stderr
    assert (folder.exists(), key.exists()) == (False, False)


@pytest.mark.parametrize(
    "changed",
    [
        {"decision": "deny"},
        {"status": "inactive"},
        {"period": {"end": "2026-02-01"}},
        {"provision": [{"type": "deny"}]},
    ],
)
def test_who_does_not_consent_is_in_nothing_and_is_counted(export, changed):
    consents = [*map(consent, PEOPLE), consent(PEOPLE[7], dated="2026-03-01", **changed)]
    done, folder, key = export(population(), consents=consents)
    assert len(rows(folder, "wide")) == 7
    assert "left out: 1 responses: no consent to reuse" in done.stderr
    assert PEOPLE[7] not in done.stderr
    assert "no consent to reuse: fewer than 6 responses" in (folder / "codebook.md").read_text()
    assert f"Patient/{PEOPLE[7]}" not in numbers(key)


def numbers(key):
    return json.loads(pyrage.decrypt(key.read_bytes(), [HOLDER]))["numbers"]


def test_a_later_consent_counts_over_an_earlier_refusal_and_not_on_the_same_day(export):
    refused = [consent(who, "deny", dated="2025-01-01") for who in PEOPLE]
    _, folder, _ = export(population(), consents=[*map(consent, PEOPLE), *refused])
    assert len(rows(folder, "wide")) == 8
    same = [consent(who, "deny") for who in PEOPLE]
    assert export(population(), consents=[*map(consent, PEOPLE), *same], to="second")[0].exit_code == 1


def test_nothing_in_the_files_says_who_it_is_and_only_the_holder_opens_the_key(export):
    _, folder, key = export(population(), "--format", "csv", "--format", "parquet", "--format", "xlsx")
    for file in folder.iterdir():
        content = file.read_bytes()
        if file.suffix == ".xlsx":
            with zipfile.ZipFile(file) as book:
                content = b"".join(map(book.read, book.namelist()))
        assert not re.search(rb"secret|Name of|2025-0|2026-0|QuestionnaireResponse/", content), file.name
    assert b"secret" not in key.read_bytes()
    known = numbers(key)
    assert set(known) == {f"Patient/{who}" for who in PEOPLE}
    assert {str(number) for number in known.values()} == {row["respondent"] for row in rows(folder, "wide")}
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(key.read_bytes(), [pyrage.x25519.Identity.generate()])


def test_rows_are_in_the_order_of_the_numbers_and_not_of_the_input(export):
    _, folder, _ = export(population())
    order = [int(row["respondent"]) for row in rows(folder, "long")]
    assert all(one <= two for one, two in pairwise(order))


def test_an_earlier_key_gives_the_same_numbers_and_the_same_bytes(export, tmp_path):
    formats = ("--format", "csv", "--format", "parquet", "--format", "xlsx")
    _, first, key = export(population(), *formats)
    identity = tmp_path / "holder.txt"
    identity.write_text(f"# a comment\n{HOLDER}\n")
    options = (*formats, "--key", str(key), "--identity", str(identity))
    done, second, again = export(reversed(population()), *options, to="second")
    assert done.exit_code == 0, done.output
    assert numbers(key) == numbers(again)
    assert {file.name for file in first.iterdir()} == {file.name for file in second.iterdir()}
    for file in first.iterdir():
        assert file.read_bytes() == (second / file.name).read_bytes(), file.name
    identity.write_text(str(pyrage.x25519.Identity.generate()))
    assert export(population(), *options, to="third")[0].exit_code == 2


def test_without_a_key_of_before_numbers_are_others(export):
    assert numbers(export(population())[2]).items().isdisjoint(numbers(export(population(), to="second")[2]).items())


def test_free_text_is_in_only_where_it_is_asked_for(export):
    words = [sent(who, "2025-01-10", all_answered("half-way"), "half-way") for who in PEOPLE]
    _, folder, _ = export([*population(), *words])
    assert "Zo gaat het" not in (folder / "long.csv").read_text() + (folder / "wide.csv").read_text()
    done, folder, _ = export([*population(), *words], "--free-text", to="second")
    assert "Zo gaat het" in (folder / "long.csv").read_text()
    assert {row["half_way_went_begin"] for row in rows(folder, "wide")} == {"Zo gaat het"}
    assert "Free text is in it." in done.stderr
    assert "free text is in it" in (folder / "codebook.md").read_text()


def test_words_that_a_spreadsheet_would_compute_are_words(export):
    words = [sent(who, "2025-01-10", {"half-way-went": "=1+1"}, "half-way") for who in PEOPLE]
    _, folder, _ = export(words, "--free-text")
    assert {row["half_way_went_begin"] for row in rows(folder, "wide")} == {"'=1+1"}


def test_days_are_exact_only_where_that_is_asked_for(export):
    months = {row["day"] for row in rows(export(population(), "--days", "month")[1], "long")}
    assert months == {"2025-01", "2026-01"}
    exact = {row["day"] for row in rows(export(population(), "--days", "exact", to="second")[1], "long")}
    assert exact == {"2025-01-10", "2026-01-10"}


def test_by_a_traject_the_windows_of_the_handbook_say_which_moment_it_was(export):
    _, folder, _ = export(population(), "--start", "2024-07-01")
    # 10 January 2025 is in month 6, of no moment; 10 January 2026 in month 18: middle. Five sent July, in month 12.
    assert {row["moment"] for row in rows(folder, "long")} == {"other", "middle"}
    assert "hoop_total_middle" in rows(folder, "wide")[0]


def test_a_response_that_is_given_again_counts_once_and_an_error_takes_it_away(export):
    once = population()
    changed = sent(PEOPLE[1], "2025-01-10", all_answered("hoop", "1"), status="amended")
    error = sent(PEOPLE[2], "2025-01-10", all_answered("hoop", "1"), status="entered-in-error")
    _, folder, _ = export([*once, changed, error])
    begins = [row for row in rows(folder, "long") if (row["code"], row["moment"]) == ("hoop-02", "begin")]
    # Eight begins; one of them is now all 1. Of who took theirs back, the one in July is the begin.
    assert sorted(row["value"] for row in begins) == ["1", *["2"] * 7]


def test_refused_lines_are_named_and_the_rest_is_in(export):
    done, folder, _ = export([*population(), sent(PEOPLE[0], "2025-03-01", {"hoop-01": "2"}) | {"status": "odd"}])
    assert done.exit_code == 1
    assert re.search(r"responses\.ndjson:21: .*no such status", done.stderr)
    assert len(rows(folder, "wide")) == 8


def test_parquet_has_numbers_and_what_they_mean(export):
    _, folder, _ = export(population(), "--format", "parquet", "--language", "en")
    wide = pq.read_table(folder / "wide.parquet")
    assert sorted(wide["hoop_total_begin"].to_pylist()) == [-3.0, *[26.0] * 7]
    told = json.loads(wide.schema.field("hoop_01_begin").metadata[b"verstel"])
    assert told["label"] == "I have a positive outlook on life (begin)"
    assert told["values"] == {"1": "strongly disagree", "2": "disagree", "3": "agree", "4": "strongly agree"}
    assert told["missing"]["-1"] == "not answered"
    assert pq.read_table(folder / "long.parquet").num_rows == 15 * (12 + 6)


def test_excel_has_its_sheets(export):
    _, folder, _ = export(population(), "--format", "xlsx")
    with zipfile.ZipFile(folder / "research.xlsx") as book:
        names = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
        first = book.read("xl/worksheets/sheet1.xml").decode()
    assert names == ["long", "wide", "change", "frequencies", "codebook"]
    assert first.count("<row ") == 1 + 15 * (12 + 6)


def test_spss_has_labels_levels_and_missing_values_with_their_reason(export):
    pytest.importorskip("polars", reason="SPSS files are written from a table of polars (the extra `research`)")
    done, folder, _ = export(population(), "--format", "sav")
    assert done.exit_code == 0, done.output
    columns, told = pyreadstat.read_sav(folder / "wide.sav", user_missing=True, output_format="dict")
    assert sorted(columns["hoop_total_begin"]) == [-3, *[26] * 7]
    assert told.column_names_to_labels["hoop_01_begin"] == "Ik heb een positieve kijk op het leven (begin)"
    assert told.variable_value_labels["hoop_01_begin"] == {
        -5: "op dit moment niet ingestuurd", -4: "vragenlijst nooit ingestuurd", -1: "niet beantwoord",
        1: "sterk mee oneens", 2: "mee oneens", 3: "mee eens", 4: "sterk mee eens",
    }  # fmt: skip
    assert told.missing_ranges["hoop_total_begin"] == [{"lo": -6, "hi": -1}]
    levels = [told.variable_measure[name] for name in ("respondent", "hoop_01_begin", "hoop_total_begin")]
    assert levels == ["nominal", "ordinal", "scale"]
    without, _ = pyreadstat.read_sav(folder / "wide.sav", output_format="dict")
    assert sum(value == 26 for value in without["hoop_total_begin"]) == 7
    assert -3 not in without["hoop_total_begin"]


def test_the_codebook_says_what_each_variable_is(export):
    _, folder, _ = export(population(), "--language", "en")
    told = {(row["file"], row["variable"]): row for row in rows(folder, "codebook")}
    total, rule = told["wide", "hoop_total_begin"], CATALOGUE.instrument("hoop").score("hoop-total")
    assert (total["low"], total["high"], total["rule_version"], total["rule"]) == ("12", "48", "1", rule.method.en)
    item = told["wide", "hoop_01_begin"]
    assert (item["wording"], item["type"], item["level"]) == ("working", "number", "ordinal")
    assert "Trimbos" in item["source"]
    assert {name for file, name in told if file == "wide"} == set(rows(folder, "wide")[0])
    assert {row["code"] for row in rows(folder, "long")} == {name for file, name in told if file == "long: code"}


def test_gzip_and_a_bundle_are_read(export, tmp_path):
    packed = tmp_path / "more.ndjson.gz"
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in population()]}
    packed.write_bytes(gzip.compress(orjson.dumps(bundle)))
    done, folder, _ = export([], str(packed))
    assert (done.exit_code, len(rows(folder, "wide"))) == (0, 8)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--key-out", "study/key.age"], "would get the key"),
        (["--key-for", "age1nobody"], "no age recipient"),
        (["--key", "{identity}"], "--key and --identity go together"),
    ],
)
def test_wrong_usage_says_what_to_do_and_writes_nothing(export, tmp_path, options, said, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "identity").write_text("x")
    done, folder, _ = export(population(), *[one.format(identity=tmp_path / "identity") for one in options])
    assert (done.exit_code, folder.exists()) == (2, False)
    assert said in done.stderr


def test_without_consents_nothing_is_exported(tmp_path):
    file = tmp_path / "responses.ndjson"
    file.write_bytes(b"\n".join(map(orjson.dumps, population())))
    done = CliRunner().invoke(
        main,
        ["export", "research", str(file), "--to", str(tmp_path / "study"), "--format", "csv", *NEEDED,
         "--key-for", str(HOLDER.to_public()), "--key-out", str(tmp_path / "key.age")],
    )  # fmt: skip
    assert done.exit_code == 2
    assert "Only who consented may be in the files" in done.stderr


def test_no_answer_and_no_score_can_be_taken_for_a_reason():
    lowest = [rule.low for one in CATALOGUE.asked.values() for rule in one.scores]
    lowest += [scale.low for one in CATALOGUE.asked.values() for scale in one.scales if scale.numbers]
    assert min(lowest) >= 0 > max(why.code for why in MISSING)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "place", EHR)


def exported(place, tmp_path, *more, to="study"):
    return CliRunner(env=place.environment).invoke(
        main,
        ["export", "research", "--issuer", "north", "--to", str(tmp_path / to), "--format", "csv", *NEEDED,
         "--key-for", str(HOLDER.to_public()), "--key-out", str(tmp_path / f"{to}.age"), *more],
    )  # fmt: skip


def test_who_allowed_it_in_the_app_is_in_and_is_told_who_exported_it(place, tmp_path):
    services = place.app.extensions[KEY]
    store = services.own_store(EHR)
    for who in PEOPLE[:7]:
        store.write(Write("create", sent(who, "2025-01-10", all_answered("hoop"))))
        patient = {"reference": f"Patient/{who}"}
        said = Reuse(frozenset({"HRESCH"} if who != PEOPLE[6] else {"HQUALIMP"}), "2026-01-01T10:00:00Z")
        store.write(Write("create", consent_of(said, name=who, patient=patient)))
    done = exported(place, tmp_path)
    assert done.exit_code == 0, done.output
    assert len(rows(tmp_path / "study", "wide")) == 6
    assert set(numbers(tmp_path / "study.age")) == {f"{EHR}/Patient/{who}" for who in PEOPLE[:6]}
    told = [one for one in services.audit.entries() if one.event == "export"]
    assert sorted(one.patient for one in told) == ["", *(f"Patient/{who}" for who in PEOPLE[:6])]
    assert {(one.user_name, one.objects[1].partition(", 6")[0]) for one in told} == {("D. Manager", "recovery, csv")}
    assert exported(place, tmp_path, "--use", "quality", to="second").exit_code == 1


def allowed(place, *people):
    store = place.app.extensions[KEY].own_store(EHR)
    for who in people:
        said = Reuse(frozenset({"HRESCH"}), "2026-01-01T10:00:00Z")
        store.write(Write("create", consent_of(said, name=who, patient={"reference": f"Patient/{who}"})))
    return store


def keeps_to_themselves(who, part):
    sharing = Sharing({part: ME}, "2026-01-01T10:00:00Z")
    name, patient = f"sharing-{who}", {"reference": f"Patient/{who}"}
    return Write("create", sharing_consent(sharing, name=name, patient=patient, titles={}, displays={}))


def file_of(tmp_path, responses):
    file = tmp_path / "export.ndjson"
    file.write_bytes(b"\n".join(map(orjson.dumps, responses)))
    return str(file)


def spelled(spelling, who, month, form="hoop"):
    made = sent(who, f"2025-0{month}-10", all_answered(form, "2"), form)
    return {**made, "subject": {"reference": spelling.format(who)}}


def test_answers_in_a_file_to_a_questionnaire_that_somebody_keeps_to_themselves_are_not_handed_out(place, tmp_path):
    store = allowed(place, *PEOPLE)
    both = [sent(who, "2025-01-10", all_answered(form, "2"), form) for who in PEOPLE[1:] for form in ("hoop", "mansa")]
    both += [spelled(f"{EHR}/Patient/{{}}/_history/3", PEOPLE[0], 1, form) for form in ("hoop", "mansa")]
    done = exported(place, tmp_path, file_of(tmp_path, both))
    assert done.exit_code == 0, done.output
    wide = rows(tmp_path / "study", "wide")
    assert [len(wide), sum(row["hoop_01_begin"] == "2" for row in wide)] == [8, 8]
    assert sum(row["mansa_01_begin"] == "2" for row in wide) == 8
    # Two keep their answers to HOOP to themselves, one of them written with the address of the EHR and a version.
    store.write_all([keeps_to_themselves(who, "answers.hoop") for who in PEOPLE[:2]])
    done = exported(place, tmp_path, file_of(tmp_path, both), to="second")
    assert done.exit_code == 0, done.output
    wide = rows(tmp_path / "second", "wide")
    assert [len(wide), sum(row["hoop_01_begin"] == "2" for row in wide)] == [8, 6]
    assert sum(row["mansa_01_begin"] == "2" for row in wide) == 8
    assert "left out: 2 responses: no consent to reuse" in done.stderr


def test_somebody_is_one_person_however_a_reference_is_spelled_and_nobody_of_another_place(place, tmp_path):
    allowed(place, *PEOPLE[:6])
    spellings = ["Patient/{}", "Patient/{}/_history/2", EHR + "/Patient/{}", EHR.upper()[:4] + EHR[4:] + "/Patient/{}"]
    responses = [spelled(one, who, month) for who in PEOPLE[:6] for month, one in enumerate(spellings, 1)]
    elsewhere = ["https://elsewhere.example/fhir/Patient/{}", "{}", "Practitioner/{}", "urn:uuid:{}", "Patient/{},x"]
    others = [spelled(one, who, 5) for who in PEOPLE[:6] for one in elsewhere]
    done = exported(place, tmp_path, file_of(tmp_path, [*responses, *others]))
    assert done.exit_code == 0, done.output
    assert f"left out: {6 * len(elsewhere)} responses: it is about nobody who is known here" in done.stderr
    assert set(numbers(tmp_path / "study.age")) == {f"{EHR}/Patient/{who}" for who in PEOPLE[:6]}
    # Of six people each, begin, middle and end; and the fourth response, between these, is of no moment.
    assert len(rows(tmp_path / "study", "wide")) == 6
    told = [one.patient for one in place.app.extensions[KEY].audit.entries() if one.event == "export" and one.patient]
    assert sorted(told) == [f"Patient/{who}" for who in PEOPLE[:6]]


def test_what_clients_allow_in_the_app_is_never_their_own_words(place, tmp_path):
    done = exported(place, tmp_path, "--free-text")
    assert (done.exit_code, (tmp_path / "study").exists()) == (2, False)
    assert "never their own words" in done.stderr


def test_a_consent_of_our_own_counts_in_a_file_too(export):
    said = [
        consent_of(Reuse(frozenset({"HRESCH"}), "2026-01-01"), name=who, patient={"reference": f"Patient/{who}"})
        for who in PEOPLE[:7]
    ]
    quality = consent_of(
        Reuse(frozenset({"HQUALIMP"}), "2026-01-01"), name="q", patient={"reference": f"Patient/{PEOPLE[7]}"}
    )
    _, folder, _ = export(population(), consents=[*said, quality])
    assert len(rows(folder, "wide")) == 7


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("2026-05-01T10:30:00+02:00", "2026-05-01T09:00:00Z"),  # 08:30 and 09:00 in UTC
        ("2026-05-01T10:30:00Z", "2026-05-01"),  # at any time of that day
        ("2026-05-01", "2026-05"),
        ("2026-05-01", ""),
    ],
)
def test_a_refusal_that_may_be_newer_counts(export, yes, no):
    given = [consent(who) for who in PEOPLE[:-1]]
    last = [consent(PEOPLE[-1], dated=yes), consent(PEOPLE[-1], "deny", dated=no)]
    _, folder, _ = export(population(), consents=[*given, *last])
    assert len(rows(folder, "wide")) == 7


def test_a_yes_of_the_day_after_a_refusal_counts(export):
    given = [consent(who) for who in PEOPLE[:-1]]
    last = [consent(PEOPLE[-1], "deny", dated="2026-05-01"), consent(PEOPLE[-1], dated="2026-05-02")]
    _, folder, _ = export(population(), consents=[*given, *last])
    assert len(rows(folder, "wide")) == 8


def test_a_form_that_is_left_out_is_not_told_by_days_or_by_the_reason_of_what_is_missing(export):
    # One person sent a MANSA nine days before their first HOOP, and it is left out.
    _, folder, _ = export([*population(), sent(PEOPLE[1], "2025-01-01", all_answered("mansa", "4"), "mansa")])
    assert {row["hoop_day_begin"] for row in rows(folder, "wide")} == {"0"}
    assert {row["day"] for row in rows(folder, "long")} == {"0", "365"}


def test_the_key_cant_be_where_the_folder_is_made(export, tmp_path):
    done, folder, _ = export(population(), "--key-out", str(tmp_path / ".study.part" / "study.age"))
    assert (done.exit_code, folder.exists()) == (2, False)
    assert "--key-out is in the folder of --to" in done.output


def test_a_key_is_gone_where_the_files_are(export, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.rename", full)
    done, folder, key = export(population())
    assert (done.exit_code, folder.exists(), key.exists()) == (1, False, False)
    assert "nothing was written: No space left on device" in done.output


def test_a_workbook_keeps_nothing_elsewhere_under_way_and_a_full_disk_is_said(export, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    done, folder, _ = export(population(), "--format", "xlsx")
    assert done.exit_code == 0, done.output
    assert sorted(one.name for one in folder.iterdir()) == ["codebook.md", "research.xlsx"]

    close = Workbook.close

    def full(book):
        close(book)
        raise FileCreateError(OSError(28, "No space left on device"))

    monkeypatch.setattr(Workbook, "close", full)
    done, folder, key = export(population(), "--format", "xlsx", to="again")
    assert (done.exit_code, folder.exists(), key.exists()) == (1, False, False)
    assert "nothing was written: No space left on device" in done.output


def test_a_response_entered_in_error_is_out_even_if_what_is_in_it_cant_be_read(export):
    wrong = sent(PEOPLE[7], "2025-01-10", {}) | {
        "status": "entered-in-error",
        "item": [{"linkId": "nope", "answer": [{"valueString": "x"}]}],
    }
    done, folder, _ = export([*population(), wrong])
    assert done.exit_code == 1  # what can not be read is said, as of any other
    assert len(rows(folder, "wide")) == 7  # the eighth sent in no other


def test_nothing_is_made_where_a_consent_cant_be_read(export, tmp_path):
    export(population(), to="first")
    with (tmp_path / "consents.ndjson").open("ab") as file:
        file.write(b'\n{"resourceType": "Consent", "status": "inac')
    done = CliRunner().invoke(
        main,
        ["export", "research", str(tmp_path / "responses.ndjson"), "--to", str(tmp_path / "study"), *NEEDED,
         "--consents", str(tmp_path / "consents.ndjson"), "--key-for", str(HOLDER.to_public()),
         "--key-out", str(tmp_path / "study.age"), "--format", "csv"],
    )  # fmt: skip
    assert (done.exit_code, (tmp_path / "study").exists(), (tmp_path / "study.age").exists()) == (1, False, False)
    assert "a refusal may be in what can't" in done.output


def in_version(response, updated="", version=""):
    said = {"lastUpdated": updated, "versionId": version}
    return {**response, "meta": {name: value for name, value in said.items() if value}}


OLD, NEW = ("2026-02-01T10:00:00+01:00", "2"), ("2026-02-01T09:30:00Z", "10")  # 09:00 and 09:30 in UTC


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        (OLD, NEW, "3"),
        (NEW, OLD, "1"),
        ((OLD[0], "10"), (NEW[0], "2"), "3"),  # the time goes before the number: another server begins anew at 1
        (("", "10"), ("", "2"), "1"),
        (("", "2"), ("", "10"), "3"),
        ((OLD[0], "10"), (OLD[0], "9"), "1"),
        (("", "10"), (OLD[0], ""), "3"),  # nothing that both say: the later line
        (NEW, ("", ""), "3"),
        (("2026-02-30T10:00:00Z", "b"), ("2026-02-01T23:59:60Z", "a"), "3"),  # not to be read
    ],
)
def test_of_one_response_in_two_versions_the_newest_counts_in_whatever_order_they_stand(export, first, second, counts):
    one = in_version(sent(PEOPLE[0], "2025-01-10", all_answered("hoop", "1")), *first)
    two = in_version(sent(PEOPLE[0], "2025-01-10", all_answered("hoop", "3")), *second)
    _, folder, _ = export([*population()[2:], one, two])
    begins = [row for row in rows(folder, "long") if (row["code"], row["moment"]) == ("hoop-02", "begin")]
    assert sorted(row["value"] for row in begins) == sorted([counts, *["2"] * 7])


@pytest.mark.parametrize("odd", [{}, {"item": [{"linkId": "nope", "answer": [{"valueString": "x"}]}]}])
def test_an_older_version_brings_nothing_back_that_was_taken_back_and_takes_nothing_back(export, odd):
    taken_back = sent(PEOPLE[7], "2025-01-10", all_answered("hoop", "2")) | {"status": "entered-in-error", **odd}
    kept = [one for one in population() if PEOPLE[7] not in one["id"]]
    before = sent(PEOPLE[7], "2025-01-10", all_answered("hoop", "2"))
    _, folder, _ = export([*kept, in_version(taken_back, *NEW), in_version(before, *OLD)])
    assert len(rows(folder, "wide")) == 7  # the eighth sent in no other
    _, folder, _ = export([*kept, in_version(before, *NEW), in_version(taken_back, *OLD)], to="second")
    assert len(rows(folder, "wide")) == 8


def nothing_is_made(done, tmp_path, said):
    assert (done.exit_code, isinstance(done.exception, SystemExit)) == (1, True), done.exception
    assert said in done.stderr
    assert {one.name for one in tmp_path.iterdir()}.isdisjoint({"study", ".study.part", "study.age"})


def test_a_store_that_does_not_do_what_is_asked_is_a_sentence_and_nothing_is_made(place, tmp_path, monkeypatch):
    allowed(place, *PEOPLE)

    def fails(*_):
        raise Refused("The search for Consent has 2001 results, more than 2000. Narrow it.")

    monkeypatch.setattr(OwnStore, "search", fails)
    nothing_is_made(exported(place, tmp_path), tmp_path, "nothing was written: The search for Consent has 2001 results")


def test_a_row_of_another_key_is_a_sentence_and_nothing_is_made(place, tmp_path):
    allowed(place, *PEOPLE)
    with place.app.extensions[KEY].engine.begin() as connection:
        connection.execute(resource_versions.update().values(content=b"sealed with another key"))
    nothing_is_made(exported(place, tmp_path), tmp_path, "a key that is not in VERSTEL_ENCRYPTION_KEYS")


def test_a_database_that_fails_while_it_is_told_who_exports_is_a_sentence_and_nothing_is_made(place, tmp_path):
    store = allowed(place, *PEOPLE)
    for who in PEOPLE:
        store.write(Write("create", sent(who, "2025-01-10", all_answered("hoop"))))
    with place.app.extensions[KEY].engine.begin() as connection:
        connection.exec_driver_sql("CREATE TRIGGER no BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END")
    done = exported(place, tmp_path)
    nothing_is_made(done, tmp_path, "nothing was written: the database of VERSTEL_DATABASE_URL failed (full)")
    assert not any(who in done.output for who in PEOPLE)


def test_no_room_for_what_was_read_is_a_sentence_and_nothing_is_made(export, tmp_path, monkeypatch):
    begin = Gathered.__post_init__

    def small(gathered):
        begin(gathered)
        gathered._rows.execute("PRAGMA max_page_count = 6")

    monkeypatch.setattr(Gathered, "__post_init__", small)
    done, _, _ = export([sent(who, f"2025-01-{day}", all_answered("hoop")) for who in PEOPLE for day in range(10, 30)])
    nothing_is_made(done, tmp_path, "nothing was written: database or disk is full. What was read is held in a file")


def test_what_somebody_said_is_read_once_in_an_export_however_much_they_sent(place, tmp_path, monkeypatch):
    allowed(place, *PEOPLE)
    search, asked = OwnStore.search, []

    def counted(store, query):
        asked.append(dict(query.params)["patient"])
        return search(store, query)

    monkeypatch.setattr(OwnStore, "search", counted)
    assert exported(place, tmp_path, file_of(tmp_path, population())).exit_code == 0
    assert sorted(asked) == [f"Patient/{who}" for who in PEOPLE]
