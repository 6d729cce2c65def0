"""Settings: file, environment, secrets, and refusals by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.config import ConfigError, Settings, load_settings, parse_duration, parse_size
from streams.errors import UsageError


def _file(folder: Path, text: str) -> Path:
    path = folder / "streams.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _refusal(path: Path | None = None, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environ)
    return str(caught.value).splitlines()


def test_defaults_are_those_of_this_machine() -> None:
    settings = load_settings(environ={})
    assert settings == Settings()
    assert settings.kafka.brokers == ("localhost:9092",)
    assert settings.redis.url == "redis://127.0.0.1:6379/0"
    assert settings.dedupe.horizon == 25 * 3600
    assert settings.campaigns == ("metoo",)
    assert settings.kafka.model_fields_set == set()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        """
        campaigns = ["metoo", "other.toml"]
        [kafka]
        brokers = ["a:9092", "b:9092"]
        partitions = 4
        [kafka.topics]
        raw = "in"
        [dedupe]
        horizon = "26h"
        """,
    )
    environ = {"STREAMS_KAFKA__PARTITIONS": "16", "STREAMS_KAFKA__TOPICS__DEAD": "morgue"}
    settings = load_settings(path, environ)
    assert settings.kafka.brokers == ("a:9092", "b:9092")
    assert settings.kafka.partitions == 16
    assert (settings.kafka.topics.raw, settings.kafka.topics.dead) == ("in", "morgue")
    assert settings.dedupe.horizon == 93_600
    assert settings.campaigns == ("metoo", "other.toml")


def test_every_key_can_be_a_variable() -> None:
    environ = {
        "STREAMS_KAFKA__BROKERS": "a:1, b:2",
        "STREAMS_CAMPAIGNS": "metoo,other",
        "STREAMS_LOG_LEVEL": "DEBUG",
        "STREAMS_REDIS__CLUSTER": "true",
        "STREAMS_DEAD__RATIO": "0.25",
        "STREAMS_EXPORTER__INTERVAL": "500ms",
        "STREAMS_KAFKA__FETCH_BYTES": "2MiB",
        "STREAMS_KAFKA__INSTANCE_ID": "",
    }
    settings = load_settings(environ=environ)
    assert settings.kafka.brokers == ("a:1", "b:2")
    assert settings.campaigns == ("metoo", "other")
    assert settings.log_level == "DEBUG"
    assert settings.redis.cluster is True
    assert settings.dead.ratio == 0.25
    assert settings.exporter.interval == 0.5
    assert settings.kafka.fetch_bytes == 2**21
    assert settings.kafka.instance_id is None, "an empty variable is not set"


def test_the_file_that_the_environment_names(tmp_path: Path) -> None:
    path = _file(tmp_path, 'redis.prefix = "x:"')
    assert load_settings(environ={"STREAMS_CONFIG": str(path)}).redis.prefix == "x:"


def test_every_problem_is_named_in_one_line_each(tmp_path: Path) -> None:
    path = _file(tmp_path, '[kafka]\nbroker = "x"\npartitions = 0\n[nonsense]\na = 1\n')
    lines = _refusal(
        path,
        STREAMS_FOO="1",
        STREAMS_KAFKA__BAR="1",
        STREAMS_KAFKA__INPUT="some",
        STREAMS_DEDUPE__HORIZON="soon",
        STREAMS_KAFKA__BROKERS="nowhere",
    )
    assert sorted(lines) == sorted(
        [
            "STREAMS_FOO: unknown setting",
            "STREAMS_KAFKA__BAR: unknown setting",
            "STREAMS_KAFKA__BROKERS: 'nowhere' is not host:port",
            "STREAMS_KAFKA__INPUT: Input should be 'any' or 'keyed' (is 'some')",
            "STREAMS_DEDUPE__HORIZON: 'soon' is not a duration: write seconds, or e.g. 90s, 30m, "
            "25h, 1h30m",
            f"{path}: kafka.broker: unknown setting",
            f"{path}: kafka.partitions: Input should be greater than or equal to 1 (is 0)",
            f"{path}: nonsense: unknown setting",
        ]
    )


@pytest.mark.parametrize(
    ("environ", "part"),
    [
        ({"STREAMS_KAFKA": "x"}, "STREAMS_KAFKA: "),
        ({"STREAMS_KAFKA__BROKERS": ","}, "STREAMS_KAFKA__BROKERS: needs at least one entry"),
        ({"STREAMS_KAFKA__SECURITY_PROTOCOL": "SASL_SSL"}, "needs username, password"),
        ({"STREAMS_KAFKA__USERNAME": "u"}, "username is set"),
        ({"STREAMS_KAFKA__TOPICS__RAW": "posts.dead"}, "two topics have the same name"),
        ({"STREAMS_KAFKA__TOPICS__RAW": "a b"}, "STREAMS_KAFKA__TOPICS__RAW: "),
        ({"STREAMS_REDIS__URL": "http://x"}, "STREAMS_REDIS__URL: "),
        ({"STREAMS_REDIS__SENTINELS": "a:1"}, "sentinels and service go together"),
        ({"STREAMS_REDIS__CA_FILE": "/ca.pem"}, "rediss://"),
        ({"STREAMS_REDIS__PREFIX": "{a}"}, "STREAMS_REDIS__PREFIX: "),
        ({"STREAMS_DEDUPE__BUCKETS": "63"}, "power of two"),
        ({"STREAMS_PRIVACY__AUTHOR_KEY": "short"}, "16 to 64 bytes"),
        ({"STREAMS_WORKER__PORT": "65536"}, "STREAMS_WORKER__PORT: "),
        ({"STREAMS_DEAD__RATIO": "nan"}, "STREAMS_DEAD__RATIO: "),
        ({"STREAMS_CONFIG": "/nowhere.toml"}, "/nowhere.toml: cannot be read"),
    ],
)
def test_bad_values_are_refused_by_name(environ: dict[str, str], part: str) -> None:
    (line,) = _refusal(**environ)
    assert part in line


def test_a_file_that_is_not_toml(tmp_path: Path) -> None:
    (line,) = _refusal(_file(tmp_path, "kafka = ["))
    assert line.startswith(f"{tmp_path / 'streams.toml'}: is not TOML: ")


def test_variables_that_kubernetes_makes_are_no_settings() -> None:
    environ = {
        "STREAMS_SERVICE_HOST": "10.0.0.1",
        "STREAMS_SERVICE_PORT": "9400",
        "STREAMS_SERVICE_PORT_HTTP": "9400",
        "STREAMS_PORT": "tcp://10.0.0.1:9400",
        "STREAMS_PORT_9400_TCP": "tcp://10.0.0.1:9400",
        "STREAMS_PORT_9400_TCP_ADDR": "10.0.0.1",
        "STREAMS_EXPORTER_SERVICE_HOST": "10.0.0.1",
        "STREAMS_EXPORTER_PORT_9400_TCP_PROTO": "tcp",
    }
    assert load_settings(environ=environ) == Settings()


class TestSecrets:
    def test_come_from_files(self, tmp_path: Path) -> None:
        secret = tmp_path / "key"
        secret.write_text("0123456789abcdef\n", encoding="utf-8")
        settings = load_settings(environ={"STREAMS_PRIVACY__AUTHOR_KEY_FILE": str(secret)})
        assert settings.privacy.key() == b"0123456789abcdef"

    def test_of_the_environment_replace_those_of_the_file(self, tmp_path: Path) -> None:
        path = _file(tmp_path, '[redis]\npassword_file = "/nowhere"\n')
        settings = load_settings(path, {"STREAMS_REDIS__PASSWORD": "secret"})
        assert settings.redis.password is not None
        assert settings.redis.password.get_secret_value() == "secret"

    def test_set_twice_are_refused(self, tmp_path: Path) -> None:
        path = _file(tmp_path, '[redis]\npassword_file = "/a"\npassword = "b"\n')
        assert _refusal(path) == [f"{path}: redis: set password or password_file, not both"]

    def test_that_cannot_be_read_are_named(self) -> None:
        assert _refusal(STREAMS_REDIS__PASSWORD_FILE="/nowhere") == [
            "redis.password_file: cannot read /nowhere: No such file or directory"
        ]

    def test_are_never_shown(self, tmp_path: Path) -> None:
        path = _file(tmp_path, "[redis]\npassword = 12345678\n")
        assert "12345678" not in "".join(_refusal(path))
        url = "redis://user:hunter2@host:1/0"
        settings = load_settings(
            environ={"STREAMS_REDIS__URL": url, "STREAMS_REDIS__PASSWORD": "hunter2"}
        )
        assert settings.redis.address == "redis://host:1/0"
        assert "hunter2" not in str(settings.redis.password)

    def test_the_author_key_is_required_of_those_who_need_it(self) -> None:
        with pytest.raises(UsageError, match="STREAMS_PRIVACY__AUTHOR_KEY_FILE"):
            Settings().privacy.key()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("25h", 90_000), ("1h30m", 5400), ("500ms", 0.5), ("90", 90), (" 2 d ", 172_800), (7, 7)],
)
def test_durations(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-1", "1x", "1h x", "nan", float("inf"), True, None, []])
def test_no_durations(text: object) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "size"), [("1MiB", 2**20), ("64 kib", 65_536), (5, 5), ("5", 5)])
def test_sizes(text: object, size: int) -> None:
    assert parse_size(text) == size


@given(st.text() | st.floats() | st.integers() | st.none())
def test_any_value_is_a_quantity_or_a_value_error(value: object) -> None:
    for parse in (parse_duration, parse_size):
        try:
            assert parse(value) >= 0
        except ValueError as error:
            assert "is not a" in str(error)  # noqa: PT017 - either outcome is right
