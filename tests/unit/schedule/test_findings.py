"""What a person should know is one row per place, however often it was said."""

from __future__ import annotations

from pipeline.schedule.findings import Finding, findings_table


def test_what_is_said_twice_of_a_place_is_one_row_with_all_the_words() -> None:
    """The bounds on prices of a box that were widened twice stood in three rows of one key, and the run failed its gate."""
    said = [Finding("day_ahead", "info", "dual_bound", place, words, value)
            for place, words, value in (("feed_in", "from 0 to 1", None), ("balance", "near 9: widened", 9.0),
                                        ("balance", "near 9: widened", 9.0), ("balance", "from 0 to 90", 90.0))]
    rows = findings_table(said, "da-1").to_pylist()
    assert [(row["place"], row["message"], row["value"]) for row in rows] == [
        ("balance", "near 9: widened; from 0 to 90", 90.0), ("feed_in", "from 0 to 1", None)]


def test_severities_and_checks_of_a_place_stay_apart() -> None:
    said = [Finding("day_ahead", severity, check, "schedule", "words") for severity in ("info", "warning") for check in ("gap", "limit")]
    assert findings_table(said, "da-1").num_rows == 4
