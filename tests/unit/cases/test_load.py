"""Cases are found, read, merged with their variants and hashed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.cases.load import DATA, list_cases, load_case, mistakes_of, variants
from pipeline.cases.skeleton import new_case
from pipeline.cases.summary import describe, summary
from pipeline.cases.yaml_file import read_yaml
from pipeline.core.errors import InputError
from pipeline.equipment import Demand, EvFleet

SHIPPED = ["networked_microgrids_165", "networked_microgrids_330", "networked_microgrids_66", "networked_microgrids_66_simbench", "tiny"]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA / "cases" / "tiny", tmp_path / "tiny"))


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_shipped_cases_are_listed_and_without_mistakes() -> None:
    assert [name for name in list_cases() if name in SHIPPED] == SHIPPED
    for name in SHIPPED:
        assert mistakes_of(name) == []


def test_tiny_has_five_buses_one_microgrid_and_a_window_of_four() -> None:
    case = load_case("tiny")
    assert len(case.buses) == 5
    assert [network.kind for network in case.networks].count("copper_plate") == 1
    assert case.settings.real_time_window_steps == 4


def test_cases_of_one_s_own_come_first(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDERFLOW_CASES", str(tiny.parent))
    _edit(tiny / "case.yaml", "title: Five buses, one microgrid", "title: Mine")
    assert load_case("tiny").title == "Mine"
    assert load_case(tiny).folder == tiny


def test_digest_is_the_content_s_not_the_place_s(tiny: Path) -> None:
    assert load_case(tiny).digest == load_case("tiny").digest
    _edit(tiny / "store.csv", "300.0", "301.0")
    changed = load_case(tiny)
    assert changed.digest != load_case("tiny").digest
    assert changed.structure_digest != load_case("tiny").structure_digest


def test_settings_alone_do_not_recompile() -> None:
    assert load_case("tiny", variant="deterministic").structure_digest == load_case("tiny").structure_digest
    assert load_case("tiny", variant="deterministic").digest != load_case("tiny").digest


def test_variants_merge_deeply(tiny: Path) -> None:
    assert variants(tiny) == ["default", "reference", "deterministic", "two_price"]
    _edit(
        tiny / "case.yaml",
        "variants:\n",
        "variants:\n  mine:\n    settings: {slack_price_per_kwh: 5}\n    devices:\n      f01_battery: {energy_max_kwh: 400}\n"
        "      ev_fleet: {sessions: {arrival_h: {mean: 17}}}\n    series: {resolution_min: 15}\n",
    )
    base, mine = load_case(tiny), load_case(tiny, variant="mine")
    assert mine.settings.slack_price_per_kwh == 5
    assert mine.settings.real_time_window_steps == base.settings.real_time_window_steps
    assert {device.id: getattr(device, "energy_max_kwh", None) for device in mine.devices}["f01_battery"] == 400
    for before, after in zip(base.devices, mine.devices, strict=True):
        if isinstance(after, EvFleet) and isinstance(before, EvFleet):
            assert after.sessions == before.sessions.model_copy(update={"arrival_h": after.sessions.arrival_h})
            assert after.sessions.arrival_h.mean == 17 and after.sessions.arrival_h.sd == 1.5
    assert {series.resolution_min for series in mine.series} == {15}


def test_a_variant_named_default_is_the_default(tiny: Path) -> None:
    _edit(tiny / "case.yaml", "variants:\n", "variants:\n  default:\n    settings: {slack_price_per_kwh: 7}\n")
    assert load_case(tiny).settings.slack_price_per_kwh == 7
    assert variants(tiny)[0] == "default"


def test_normalised_load_ratios_add_up_to_one(tiny: Path) -> None:
    def total() -> float:
        return sum(device.series_share for device in load_case(tiny).devices if isinstance(device, Demand) and device.series == "f01_load")

    assert total() == pytest.approx(0.2)
    _edit(tiny / "case.yaml", "normalise_load_ratio: false", "normalise_load_ratio: true")
    assert total() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    "habit",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b",", b";"),
        lambda data: b"# a comment, of mine\n" + data.replace(b"\n", b"\n\n"),
        lambda data: data.replace(b"\n", b",,\n"),
        lambda data: b"\xef\xbb\xbf" + data.replace(b",", b";").replace(b"\n", b"\r\n") + b";;;\r\n",
    ],
    ids=["bom", "crlf", "semicolons", "comments and empty lines", "trailing separators", "all at once"],
)
def test_spreadsheet_habits_change_nothing(tiny: Path, habit: object) -> None:
    for path in tiny.glob("*.csv"):
        path.write_bytes(habit(path.read_bytes()))  # type: ignore[operator]
    assert load_case(tiny).digest == load_case("tiny").digest


def test_a_time_is_no_number_and_on_is_no_truth(tiny: Path) -> None:
    assert load_case(tiny).day_start_local.hour == 7
    _edit(tiny / "case.yaml", "title: Five buses, one microgrid", "title: on")
    assert load_case(tiny).title == "on"


def test_summary_counts(capsys: pytest.CaptureFixture[str]) -> None:
    found = summary(load_case("networked_microgrids_66", variant="reference"))
    assert (found["feeder_bus_count"], found["microgrid_count"], found["device_count"]["ev_fleet"]) == (66, 10, 12)
    assert found["method"] == "deterministic" and "reference" in found["variants"]
    assert "10 microgrids" in describe(load_case("networked_microgrids_66_simbench"))


def test_skeleton_loads_in_every_variant(tmp_path: Path) -> None:
    files = new_case(tmp_path / "my_village")
    assert files[0].name == "case.yaml" and all(path.is_file() for path in files)
    assert mistakes_of(tmp_path / "my_village") == []
    assert load_case(tmp_path / "my_village").name == "my_village"
    again = new_case(tmp_path / "again" / "my_village")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in files]


@pytest.mark.parametrize(("folder", "words"), [("My Village", "my_village"), ("taken", "not empty")])
def test_skeleton_refuses(tmp_path: Path, folder: str, words: str) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match=words):
        new_case(tmp_path / folder)


def test_a_changed_copy_has_its_own_digests() -> None:
    """pydantic copies what was cached along with the fields."""
    case = load_case("tiny")
    before = case.digest, case.structure_digest
    changed = case.model_copy(update={"devices": case.devices[1:]})
    assert changed.digest != before[0] and changed.structure_digest != before[1]
    assert set(changed.series_by_id) == set(case.series_by_id)


@pytest.mark.parametrize(("text", "said"), [
    ("name: x\nsettings: &a\n  method: *a\n", "case.yaml, line 2: an alias (*name) stands inside what it names, without end; write"),
    ("a: &a [1, [2, *a]]\n", "line 1: an alias"),
    ("a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}' if i else '*a'] * 10)}]\n" for i in range(6)),
     "its aliases stand for 12,345,6"),
    ("a: " + "[" * 5000 + "]" * 5000, "is nested too deeply to be read"),
])
def test_yaml_without_end_is_one_mistake(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "case.yaml").write_text(text)
    with pytest.raises(InputError) as refused:
        load_case(tmp_path)
    assert said in str(refused.value) and len(refused.value.mistakes) == 1


def test_an_alias_that_ends_is_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("one: &a {x: 1}\ntwo: *a\nthree: [*a, *a]\n")
    assert read_yaml(tmp_path / "a.yaml").value == {"one": {"x": 1}, "two": {"x": 1}, "three": [{"x": 1}, {"x": 1}]}
