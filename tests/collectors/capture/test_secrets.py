"""Secrets are masked by their form, in whatever pieces and colours they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.collectors.capture.lines import LinesOf
from pulse_widgets.collectors.capture.secrets import MASK, masked

LONG = "Ab3Cd4Ef5Gh6Ij7Kl8Mn9Op0Qr1St2Uv3Wx4Yz5"
JWT = f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{LONG}"

# What is printed, and what of it must not be kept.
SECRETS = [
    ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE"),
    ("id ASIAIOSFODNN7EXAMPLE.", "IOSFODNN7EXAMPLE"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
    ("AWS_SESSION_TOKEN=IQoJb3JpZ2luX2VjEAAa", "IQoJb3JpZ2luX2VjEAAa"),
    (f"ghp_{LONG}", LONG),
    (f"url: https://x/?t=gho_{LONG}&b", LONG),
    (f"github_pat_11ABC_{LONG}", LONG),
    (f"glpat-{LONG}", LONG),
    (f"login with hf_{LONG}", LONG),
    (f"sk-{LONG}", LONG),
    (f"key sk-proj-{LONG}", LONG),
    (f"xoxb-123-{LONG}", LONG),
    (f"npm_{LONG}", LONG),
    ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    (f"Authorization: Bearer {LONG}", LONG),
    (f"{{'Authorization': 'Bearer {LONG}'}}", LONG),
    (f"authorization=token {LONG}", LONG),
    (f"> bearer {LONG}", LONG),
    ("password=hunter2", "hunter2"),
    ("password = hunter2", "hunter2"),
    ("Password: hunter2", "hunter2"),
    ("DB_PASSWORD=hunter2", "hunter2"),
    ("db-passwd=hunter2;host=x", "hunter2"),
    ("{'password': 'hunter 2', 'a': 1}", "hunter 2"),
    ('{"password": "hunter 2", "a": 1}', "hunter 2"),
    ("connect(user='me', password='hunter2')", "hunter2"),
    ("pwd=hunter2&x=1", "hunter2"),
    ("passphrase: hunter2", "hunter2"),
    ("token=abc", "abc"),
    ("token: s3cr3t-value-1", "s3cr3t-value-1"),
    ("access_token=abcdef&x=1", "abcdef"),
    ("{'token': 'abc'}", "abc"),
    ("api_key=abc", "abc"),
    ("api-key: abc", "abc"),
    ("apikey=abc", "abc"),
    ("OPENAI_API_KEY=abc", "abc"),
    ("X-Api-Key: abc", "abc"),
    ("client_secret=abc", "abc"),
    ("AccountKey=abc==;Endpoint=x", "abc=="),
    ("run --password hunter2 --epochs 3", "hunter2"),
    ("run --token=abcdef", "abcdef"),
    ("run --api-key abcdef", "abcdef"),
    ("postgres://bob:hunter2@db/x", "hunter2"),
    ("https://bob:hunter2@example.com", "hunter2"),
    ("redis://:hunter2@cache:6379/0", "hunter2"),
    (f"cookie {JWT}", LONG),
    ("-----BEGIN PRIVATE KEY-----MIIE-----END PRIVATE KEY-----", "MIIE"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNz\\n-----END", "b3BlbnNz"),
]

PLAIN = [
    "",
    "epoch 3 loss 0.25 acc 0.93",
    "tokens: 123456, tokens/s: 9000",
    "token=17 of 4096",
    "next_token: 42",
    "n_tokens = 1e6",
    "max_new_tokens=512",
    "key: value",
    "keyboard=qwerty",
    "passed: 12, failed: 0",
    "password",
    "risk-averse-and-long-words-in-a-row",
    "https://example.com:8080/path?a=1",
    "http://localhost:8888/lab",
    "mail bob@example.com",
    "git@github.com:bob/repo.git",
    "the basics of bearer bonds",
    "mask-rcnn task-specific-layers-and-more",
    "\x1b[32mgreen\x1b[0m",
    "0123456789abcdef0123456789abcdef",
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_a_secret_is_masked_and_the_rest_stays(text, secret):
    made = masked(text)

    assert secret not in made
    assert MASK in made
    before = text[: text.index(secret)]
    assert made.startswith(before.split("=")[0].split(":")[0].split("BEGIN")[0][:4].rstrip("-"))


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_secret_stays_letter_by_letter(text):
    assert masked(text) == text


# Of a line that ends in "bearer " and a word, more may come.
@pytest.mark.parametrize("text", [text for text in PLAIN if "bearer" not in text])
def test_what_is_no_secret_stays_in_a_line_that_is_not_finished(text):
    assert masked(text, unfinished=True) == text


@pytest.mark.parametrize(("text", "secret"), SECRETS)
@pytest.mark.parametrize("colour", ["\x1b[31m", "\x1b]8;;x\x07", "\x00", "\u200b"])
def test_colours_inside_of_it_do_not_hide_a_secret(text, secret, colour):
    middle = text.index(secret) + len(secret) // 2
    coloured = f"{colour}{text[:middle]}{colour}{text[middle:]}\x1b[0m"

    made = masked(coloured)

    plain = made.replace(colour, "").replace("\x1b[0m", "")
    assert secret not in plain
    assert MASK in plain
    # The colours go on, and end, as they were printed.
    assert made.count("\x1b") == coloured.count("\x1b")


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_the_lines_of_a_stream_are_masked_however_they_were_cut(text, secret):
    for cut in range(len(text)):
        lines = LinesOf().take([text[:cut], text[cut:], "\n", "after\n"], 0.0, 1.0).texts

        assert secret not in lines[0]
        assert lines[1:] == ["after"]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_a_pause_in_the_middle_of_a_secret_gives_no_more_away_than_where_it_begins(text, secret):
    for cut in range(len(text)):
        made = LinesOf()
        made.take([text[:cut]], 0.0, 1.0)
        first = made.unfinished().texts
        rest = made.take([text[cut:], "\n"], 1.0, 2.0).texts

        shown = "".join([*first, *rest])
        assert secret not in shown
        assert not any(secret[at : at + 12] in shown for at in range(len(secret) - 11))


def test_a_private_key_of_many_lines_is_masked_whole_and_what_follows_is_not():
    body = [LONG] * 5
    printed = ["before", "-----BEGIN RSA PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED", "", *body]
    printed += ["-----END RSA PRIVATE KEY-----", "after"]
    for at in range(len(printed)):
        made = LinesOf()
        lines = made.take([f"{line}\n" for line in printed[:at]], 0.0, 1.0).texts
        lines += made.take([f"{line}\n" for line in printed[at:]], 1.0, 2.0).texts

        assert [lines[0], lines[-1]] == ["before", "after"]
        assert set(lines[1:-1]) == {MASK}
        assert len(lines) == len(printed)


def test_a_key_without_an_end_does_not_mask_all_that_follows():
    made = LinesOf()
    lines = made.take(["-----BEGIN PRIVATE KEY-----\n", "this is a sentence\n", "b\n"], 0, 1).texts

    assert lines[1:] == ["this is a sentence", "b"]


@given(st.text(max_size=200))
def test_any_text_can_be_looked_at(text):
    line = text.replace("\n", " ")

    assert isinstance(masked(line), str)
    assert isinstance(masked(line, unfinished=True, since=len(line) // 2), str)
