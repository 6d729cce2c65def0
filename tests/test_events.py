"""Events follow from counters alone."""

from __future__ import annotations

from streams.events import Event, Guard, Watched, arrivals, crossings, milestones

T = 1_508_100_000


def follow(watched: Watched, *velocities: float, start: int = T) -> tuple[Watched, list[Event]]:
    """A minute each."""
    ends = ((start + 60 * n, velocity) for n, velocity in enumerate(velocities, 1))
    return crossings("metoo", {"page": 10.0}, watched, ends)


def test_a_crossing_is_one_event() -> None:
    watched, events = follow(Watched(), 1, 9.9, 10, 12, 9, 11, 30)
    assert [event.id for event in events] == [f"metoo:threshold:page:{T + 180}"]
    assert events[0].detail == {"velocity": 10, "threshold": 10}
    assert watched == Watched(T + 420, {"page": Guard(armed=False)})


def test_it_is_armed_again_after_five_minutes_below_80_percent() -> None:
    _, events = follow(Watched(), 10, 7.9, 7.9, 7.9, 7.9, 7.9, 10)
    assert len(events) == 1  # four minutes lie between the first and the last low minute
    _, events = follow(Watched(), 10, 7.9, 7.9, 7.9, 7.9, 7.9, 7.9, 10)
    assert [event.at // 1000 - T for event in events] == [60, 480]
    _, events = follow(Watched(), 10, 7.9, 7.9, 7.9, 8.0, 7.9, 7.9, 7.9, 10)
    assert len(events) == 1  # 80 % in between begins the five minutes anew


def test_it_does_not_matter_where_an_exporter_stopped() -> None:
    velocities = [1, 11, 5, 5, 5, 12, 5, 5, 5, 5, 5, 5, 5, 13, 2]
    whole, expected = follow(Watched(), *velocities)
    assert len(expected) == 2
    for cut in range(len(velocities)):
        watched, first = follow(Watched(), *velocities[:cut])
        # The next one begins earlier than the last one ended.
        early = max(0, cut - 4)
        watched, then = follow(watched, *velocities[early:], start=T + 60 * early)
        assert (watched, [*first, *then]) == (whole, expected)


def test_a_threshold_that_is_new_in_the_file_is_armed() -> None:
    watched = Watched(T, {"page": Guard(armed=False), "gone": Guard()})
    _, events = crossings("metoo", {"page": 10, "info": 1}, watched, [(T + 60, 11)])
    assert [event.name for event in events] == ["info"]


def test_milestones_and_when_they_were_reached() -> None:
    minutes = [0, 5, 5, 10]  # the last ends at T
    found = milestones("metoo", [100, 20, 10, 1000], 115, minutes, T)
    assert [(event.name, event.at // 1000 - T) for event in found] == [
        ("10", -240),  # before what is kept: its beginning
        ("20", -240),
        ("100", -120),
    ]
    assert found[2].key == "metoo:milestone:100"
    assert milestones("metoo", [5], 4, minutes, T) == []


def test_first_posts() -> None:
    first = {
        ("platform", "x"): T * 1000,
        ("platform", "bluesky"): T * 1000 + 90_500,
        ("lang", "fr"): T * 1000 + 60_000,
        ("lang", "und"): T * 1000,
        ("country", "FR"): T * 1000 + 60_000,
    }
    found = {(event.kind, event.name): event for event in arrivals("metoo", first)}
    assert found.keys() == {
        ("platform", "x"),
        ("platform", "bluesky"),
        ("language", "fr"),
        ("country", "FR"),
    }
    late = found["platform", "bluesky"]
    assert late.detail == {"seconds_after_start": 90.5}
    assert late.key == "metoo:platform:bluesky"


def test_ids_have_the_minute_of_event_time() -> None:
    event = Event("metoo", "amplifier", "x:1", T * 1000 + 61_234, {})
    assert event.id == event.key == f"metoo:amplifier:x:1:{T + 60}"
