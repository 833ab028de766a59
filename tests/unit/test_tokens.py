"""Tokens and the policies that come of them."""

import base64
import io
import json
import logging
import re
import time
from collections.abc import Iterator

import jwt
import pytest
from botocore.exceptions import BotoCoreError
from hypothesis import given
from hypothesis import strategies as st

from lockstep import observability
from lockstep.access import authorizer as authorizing
from lockstep.access import signing_keys
from lockstep.access.authorizer import UnauthorizedError, authorize
from lockstep.access.scopes import MAX_DAYS, Scope
from lockstep.access.signing_keys import KeysUnavailableError, SigningKeys
from lockstep.access.tokens import MIN_KEY_BYTES, BadTokenError, Grant, UnknownKeyError, key_id, sign, verify
from lockstep.log_format import LogFormat
from lockstep.routes import ROUTES

OLD, NEW = "o" * 64, "n" * 64
KEYS = {key_id(key): key for key in (OLD, NEW)}
CALLED = "arn:aws:execute-api:eu-west-1:123456789012:abc123/v1/POST/api/v3/task_instance/42001/log_done"
NOW = int(time.time())
GRANTS = [Grant("ann", scope) for scope in Scope] + [Grant("bob", Scope.WORKER, 7)]


def token(grant: Grant = GRANTS[0], key: str = NEW, *, age: int = 0, good_for: int = 86_400) -> str:
    return sign(grant, key, NOW - age, NOW - age + good_for)


@pytest.mark.parametrize("key", [OLD, NEW])
@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_what_was_signed_is_what_is_said(grant: Grant, key: str) -> None:
    assert verify(token(grant, key), KEYS) == grant


def test_an_expired_token_is_bad() -> None:
    with pytest.raises(BadTokenError, match="expired"):
        verify(token(age=61, good_for=60), KEYS)


def test_a_token_of_another_key_is_not_known() -> None:
    with pytest.raises(UnknownKeyError):
        verify(token(key="x" * 40), KEYS)


def forged() -> dict[str, str]:
    head, body, signature = token().split(".")
    claims = {"sub": "ann", "scope": "operator", "iat": NOW, "exp": NOW + 86_400}
    key, kid = NEW, {"kid": key_id(NEW)}
    other = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    without = {name: {key: value for key, value in claims.items() if key != name} for name in claims}
    return {
        "other claims under the same signature": f"{head}.{other}.{signature}",
        "no signature": f"{head}.{body}.",
        "the none algorithm": jwt.encode(claims, "", "none", headers=kid),
        "another algorithm": jwt.encode(claims, key, "HS384", headers=kid),
        "another key under a known name": jwt.encode(claims, "x" * 40, "HS256", headers=kid),
        "another scope": jwt.encode(claims | {"scope": "root"}, key, "HS256", headers=kid),
        "an operator's for one run": jwt.encode(claims | {"run": 7}, key, "HS256", headers=kid),
        "a run that is text": jwt.encode(claims | {"scope": "worker", "run": "7"}, key, "HS256", headers=kid),
        "not yet": jwt.encode(claims | {"nbf": NOW + 80_000}, key, "HS256", headers=kid),
        **{f"no {name}": jwt.encode(rest, key, "HS256", headers=kid) for name, rest in without.items()},
        "nothing": "",
        "no token": "let me in",
        "longer than its scope allows": jwt.encode(claims | {"exp": NOW + 91 * 86_400}, key, "HS256", headers=kid),
        "made at no moment": jwt.encode(claims | {"iat": "now"}, key, "HS256", headers=kid),
        "three dots": "...",
    }


@pytest.mark.parametrize("bad", forged().values(), ids=forged())
def test_a_forged_token_is_bad(bad: str) -> None:
    with pytest.raises((BadTokenError, UnknownKeyError)):
        verify(bad, KEYS)


@given(
    st.sampled_from(GRANTS),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3), st.text(st.characters(codec="latin-1"), max_size=3))),
)
def test_a_token_with_other_letters_in_it_says_nothing_else(grant: Grant, changes: list[tuple[int, int, str]]) -> None:
    """Base64 has several ways to write one signature. What is signed has one."""
    good = bad = token(grant)
    for at, gone, put in changes:
        bad = bad[:at] + put + bad[at + gone :]
    try:
        said = verify(bad, KEYS)
    except (BadTokenError, UnknownKeyError):
        return
    assert said == grant
    assert bad.split(".")[:2] == good.split(".")[:2]


@pytest.mark.parametrize("name", ["", "x" * 65, 'a"b', "a b", "a\n", "\u00e9"])
def test_a_name_fits_any_log(name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        token(Grant(name, Scope.WORKER))


def test_a_clock_that_is_fast_where_it_was_made_does_no_harm() -> None:
    assert verify(token(age=-3_600), KEYS) == GRANTS[0]


def test_a_short_key_signs_nothing() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        token(key="short")


@pytest.mark.parametrize("scope", Scope)
def test_a_token_lives_as_long_as_its_scope_allows_and_no_longer(scope: Scope) -> None:
    longest = MAX_DAYS[scope] * 86_400
    assert verify(token(Grant("ann", scope), good_for=longest), KEYS).scope is scope
    with pytest.raises(ValueError, match=f"scope {scope} is good for at most {MAX_DAYS[scope]} days"):
        token(Grant("ann", scope), good_for=longest + 1)


class Secret:
    """Secrets Manager with one secret, by stage: text, bytes or what reading it raises. None cannot be reached."""

    class exceptions:  # noqa: N801  # as botocore's clients have it
        class ResourceNotFoundException(Exception):  # noqa: N818  # as above
            pass

    def __init__(self, **stages: str | bytes | Exception) -> None:
        self.stages: dict[str, str | bytes | Exception] | None = stages
        self.asked = 0

    def get_secret_value(self, SecretId: str, VersionStage: str) -> dict[str, str | bytes]:  # noqa: N803  # as above
        self.asked += SecretId == "s"
        if self.stages is None:
            raise BotoCoreError
        if VersionStage not in self.stages:
            raise self.exceptions.ResourceNotFoundException
        value = self.stages[VersionStage]
        if isinstance(value, Exception):
            raise value
        return {"SecretString": value} if isinstance(value, str) else {"SecretBinary": value}


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Secret:
    secret = Secret(AWSCURRENT=OLD)
    monkeypatch.setattr(signing_keys, "client", lambda: secret)
    return secret


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Its one element is the time, in seconds."""
    at = [1000.0]
    monkeypatch.setattr("lockstep.access.signing_keys.time.monotonic", lambda: at[0])
    return at


def bearer(key: str) -> str:
    return f"Bearer {token(key=key)}"


def test_keys_are_read_once_for_many_tokens(secret: Secret) -> None:
    keys = SigningKeys("s")
    for _ in range(3):
        authorize(bearer(OLD), CALLED, keys)
    assert secret.asked == 2  # one for each stage


def test_a_rotation_cuts_nobody_off(secret: Secret, clock: list[float]) -> None:
    keys = SigningKeys("s")
    authorize(bearer(OLD), CALLED, keys)
    secret.stages = {"AWSCURRENT": NEW, "AWSPREVIOUS": OLD}
    clock[0] += signing_keys.ASK_AGAIN_SECONDS
    for key in (NEW, OLD):
        assert authorize(bearer(key), CALLED, keys)["principalId"] == "ann"


def test_a_key_taken_out_of_use_is_good_for_a_while_only(secret: Secret, clock: list[float]) -> None:
    keys = SigningKeys("s")
    authorize(bearer(OLD), CALLED, keys)
    secret.stages = {"AWSCURRENT": NEW}
    clock[0] += signing_keys.FRESH_SECONDS
    with pytest.raises(UnauthorizedError):
        authorize(bearer(OLD), CALLED, keys)


def test_forged_tokens_do_not_make_it_ask_each_time(secret: Secret, clock: list[float]) -> None:
    keys = SigningKeys("s")
    for number in range(20):
        clock[0] = 1000.0 + number / 10
        with pytest.raises(UnauthorizedError):
            authorize(bearer("x" * 40), CALLED, keys)
    assert secret.asked == 2 * 2  # twice in two seconds, for two stages


def test_known_keys_stay_good_while_the_secret_cannot_be_read(secret: Secret, clock: list[float]) -> None:
    keys = SigningKeys("s")
    authorize(bearer(OLD), CALLED, keys)
    secret.stages = None
    clock[0] += signing_keys.FRESH_SECONDS
    assert authorize(bearer(OLD), CALLED, keys)["principalId"] == "ann"


def test_a_secret_that_cannot_be_read_is_left_alone_for_a_while(secret: Secret, clock: list[float]) -> None:
    keys = SigningKeys("s")
    authorize(bearer(OLD), CALLED, keys)
    secret.stages, secret.asked = None, 0
    for number in range(20):
        clock[0] = 1000.0 + signing_keys.FRESH_SECONDS + number
        assert authorize(bearer(OLD), CALLED, keys)["principalId"] == "ann"
    assert secret.asked == 2  # twice in 20 s; the first stage that cannot be read is the last one asked for


def test_without_any_key_nobody_can_be_told_apart(secret: Secret) -> None:
    secret.stages = None
    with pytest.raises(KeysUnavailableError):  # a 500 to API Gateway, which the template makes a 503
        authorize(bearer(OLD), CALLED, SigningKeys("s"))


UNUSABLE: dict[str, tuple[str | bytes | Exception, str]] = {
    "short": ("s" * (MIN_KEY_BYTES - 1), "is too short: a signing key has at least 32 bytes"),
    "empty": ("", "is too short"),
    "binary": (b"b" * 64, "is binary: a signing key is text"),
}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log as Lambda would get it."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(LogFormat("stack"))
    logger = logging.getLogger(observability.logger.name)
    usual = logger.level
    logger.setLevel(logging.WARNING)
    logger.addHandler(handler)
    yield handler.stream
    logger.removeHandler(handler)
    logger.setLevel(usual)


def unusable(log: io.StringIO) -> list[str]:
    """What is said of keys that cannot be used."""
    lines = map(json.loads, log.getvalue().splitlines())
    return [line["why"] for line in lines if "signing keys cannot be used" in line["message"]]


@pytest.mark.parametrize("kind", UNUSABLE)
@pytest.mark.parametrize(("bad", "good"), [("AWSCURRENT", "AWSPREVIOUS"), ("AWSPREVIOUS", "AWSCURRENT")])
def test_a_value_that_is_no_key_does_not_take_the_other_one_down(
    secret: Secret, log: io.StringIO, kind: str, bad: str, good: str
) -> None:
    value, why = UNUSABLE[kind]
    secret.stages = {bad: value, good: OLD}
    keys = SigningKeys("s")
    for _ in range(3):
        assert authorize(bearer(OLD), CALLED, keys)["principalId"] == "ann"
    assert secret.asked == 2
    [said] = unusable(log)
    assert said.startswith(f"{bad} {why}")


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_token_signed_with_a_short_key_is_refused(secret: Secret) -> None:
    short = "s" * (MIN_KEY_BYTES - 1)
    secret.stages = {"AWSCURRENT": OLD, "AWSPREVIOUS": short}
    claims = {"sub": "eve", "scope": "operator", "iat": NOW, "exp": NOW + 60}
    forged = jwt.encode(claims, short, "HS256", headers={"kid": key_id(short)})
    with pytest.raises(UnauthorizedError):
        authorize(f"Bearer {forged}", CALLED, SigningKeys("s"))


def test_an_unreadable_previous_key_takes_no_key_down(secret: Secret, clock: list[float], log: io.StringIO) -> None:
    secret.stages = {"AWSCURRENT": NEW, "AWSPREVIOUS": OLD}
    keys = SigningKeys("s")
    authorize(bearer(OLD), CALLED, keys)
    secret.stages["AWSPREVIOUS"] = BotoCoreError()
    clock[0] += signing_keys.FRESH_SECONDS
    for key in (OLD, NEW, OLD):
        assert authorize(bearer(key), CALLED, keys)["principalId"] == "ann"
    assert unusable(log) == ["AWSPREVIOUS cannot be read: An unspecified error occurred"]


def test_an_unreadable_previous_key_leaves_the_present_one_at_the_first_look(secret: Secret) -> None:
    secret.stages = {"AWSCURRENT": NEW, "AWSPREVIOUS": BotoCoreError()}
    assert authorize(bearer(NEW), CALLED, SigningKeys("s"))["principalId"] == "ann"


def test_a_secret_without_a_usable_key_is_not_the_callers_fault(secret: Secret, clock: list[float]) -> None:
    """A 401 would end Jobmon's programs; keys that were taken out of the secret stay out."""
    keys = SigningKeys("s")
    authorize(bearer(OLD), CALLED, keys)
    secret.stages = {"AWSCURRENT": b"b" * 64, "AWSPREVIOUS": "short"}
    clock[0] += signing_keys.FRESH_SECONDS
    with pytest.raises(KeysUnavailableError, match=r"AWSCURRENT is binary.*AWSPREVIOUS is too short"):
        authorize(bearer(OLD), CALLED, keys)


HOSTILE: dict[str, tuple[str, int]] = {
    "letters": ("k", 2_800),
    "control characters": ("\x10", 460),
    "emoji": ("\N{PILE OF POO}", 700),
}
"""A character, and as many of it as a key id can have in a token that is not too long."""


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("kind", HOSTILE)
def test_the_log_of_a_refused_token_is_bounded(kind: str, log: io.StringIO) -> None:
    character, times = HOSTILE[kind]
    header = json.dumps({"alg": "HS256", "typ": "JWT", "kid": character * times}, ensure_ascii=False).encode()
    forged = f"{base64.urlsafe_b64encode(header).decode().rstrip('=')}.e30.eA"
    assert len(forged) <= authorizing.MAX_TOKEN
    with pytest.raises(UnauthorizedError):
        authorize(f"Bearer {forged}", CALLED + character * 8_000, SigningKeys("s"))
    [line] = log.getvalue().splitlines()
    said = json.loads(line)
    assert said["message"] == "a token is refused"
    assert said["why"].startswith("no key ")
    assert said["called"].startswith("arn:aws:execute-api:")
    assert len(line) < 2_000


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.usefixtures("secret")
def test_a_token_may_be_a_password_or_a_bearers() -> None:
    keys = SigningKeys("s")
    good = token(key=OLD)
    for header in (f"Bearer {good}", f"bearer {good}", basic(f"anybody:{good}"), basic(f":{good}")):
        assert authorize(header, CALLED, keys)["principalId"] == "ann"


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic",
        "Basic %%%",
        "Basic é",
        basic("user"),
        basic("user:"),
        basic("user:pass"),
        "Digest x",
        "x",
        "Bearer " + "x" * authorizing.MAX_TOKEN * 2,
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
    ],
    ids=lambda header: header[:20],
)
def test_what_is_no_token_is_unauthorized(header: str) -> None:
    with pytest.raises(UnauthorizedError, match=r"^Unauthorized$"):
        authorize(header, CALLED, SigningKeys("s"))


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("scope", Scope)
def test_a_policy_names_all_that_the_scope_may_call(scope: Scope) -> None:
    """API Gateway keeps it and applies it to whatever the token calls next."""
    reply = authorize(f"Bearer {token(Grant('ann', scope), OLD)}", CALLED, SigningKeys("s"))
    [statement] = reply["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    stage = "arn:aws:execute-api:eu-west-1:123456789012:abc123/v1"
    if scope is Scope.OPERATOR:
        assert statement["Resource"] == [f"{stage}/*"]  # a cached policy covers a new route at once
    else:
        opened = [route for route in ROUTES if route.may_be_called_by(scope)]
        assert statement["Resource"] == [f"{stage}/{r.method}{re.sub('{.*?}', '*', r.resource)}" for r in opened]
    assert len(json.dumps(statement)) < 8_000  # the most that API Gateway takes
