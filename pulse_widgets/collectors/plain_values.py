"""Values of the user's own as JSON has them: bounded, and without secrets.

A value that JSON does not have is its `repr`. What is called a password, a token, an API key or a
secret is ``***``, and so are name and password in an address. What looks like a secret in a text
is masked as in printed lines.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import math
import os
import re
from collections.abc import Mapping
from typing import Any, Final

from pulse_widgets.collectors.capture.secrets import masked_text
from pulse_widgets.errors import ArgumentError

__all__ = ["flat_values", "plain_value"]

SECRET: Final = "***"  # noqa: S105  what stands in its place
ITSELF: Final = "..."
"""Stands for something inside of itself."""
TEXT_LENGTH: Final = 1000
KEY_LENGTH: Final = 200
ITEMS: Final = 100
DEPTH: Final = 20
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SECRET: Final = frozenset(
    {
        *("password", "passwords", "passwd", "pwd", "passphrase"),
        *("secret", "secrets", "credential", "credentials"),
        *("apikey", "apikeys", "accesskey", "privatekey"),
    }
)
_TOKEN: Final = frozenset({"token", "tokens"})
_KEYS: Final = frozenset({"api", "access", "private", "auth", "account", "signing"})
_ADDRESS: Final = re.compile(r"(?<=://)[^/\s@]+(?=@)")


def plain_value(name: str, value: Any) -> Any:
    """Return a value as JSON has it.

    Parameters
    ----------
    name : str
        What it is called, with the names that it stands under: it may be a secret.
    value : object
    """
    if _is_secret(name, value):
        return SECRET
    return _plain(value)


def flat_values(given: Any, call: str) -> dict[str, Any]:
    """Return the values of a nested mapping, their names joined with ``/``, as JSON has them.

    Parameters
    ----------
    given : mapping, argparse.Namespace or dataclass
    call : str
        Who asks, for the message of an error.

    Raises
    ------
    ArgumentError
        If it is none of these.
    """
    mapping = _mapping_of(given)
    if mapping is None:
        raise ArgumentError(
            f"{call} takes a mapping, an argparse.Namespace or a dataclass, "
            f"not {type(given).__name__}",
            remedy='Write pw.config({"lr": 0.001, "batch": 64}).',
        )
    flat: dict[str, Any] = {}
    _flatten(mapping, "", flat, (id(given),))
    return flat


def _flatten(
    given: Mapping[Any, Any], prefix: str, flat: dict[str, Any], above: tuple[int, ...]
) -> None:
    for key, value in given.items():
        name = _short(f"{prefix}{key}", KEY_LENGTH)
        if id(value) in above:
            # It has itself in it, perhaps more than once.
            flat[name] = ITSELF
            continue
        inner = _mapping_of(value) if len(above) <= DEPTH else None
        if inner:
            _flatten(inner, f"{name}/", flat, (*above, id(value)))
        else:
            flat[name] = {} if inner is not None else plain_value(name, value)


def _mapping_of(value: Any) -> Mapping[Any, Any] | None:
    """Return a thing with names and values as a mapping; None where it is none."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, argparse.Namespace):
        return vars(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # Not `asdict`: it copies everything in it.
        names = [field.name for field in dataclasses.fields(value)]
        return {name: getattr(value, name) for name in names if hasattr(value, name)}
    return None


def _plain(value: Any, above: tuple[int, ...] = ()) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | os.PathLike):
        return _unsecret(str(value))
    if isinstance(value, int | float):
        return _number(value)
    if not isinstance(value, list | tuple | Mapping) or len(value) > ITEMS or len(above) >= DEPTH:
        return _spoken(value, above)
    return ITSELF if id(value) in above else _items(value, (*above, id(value)))


def _items(value: Any, above: tuple[int, ...]) -> Any:
    if not isinstance(value, Mapping):
        return [_plain(one, above) for one in value]
    return {
        _short(str(key), KEY_LENGTH): SECRET if _is_secret(str(key), one) else _plain(one, above)
        for key, one in value.items()
    }


def _number(value: float) -> Any:
    """Return a number that JSON has; of others the word, of whole ones too long a few digits."""
    if isinstance(value, int):
        # JavaScript has no larger whole numbers, and Python no text of very long ones.
        return int(value) if abs(value) <= 2**53 else float(value) if abs(value) < 2**1000 else "∞"
    return float(value) if math.isfinite(value) else str(float(value))


def _spoken(value: Any, above: tuple[int, ...]) -> Any:
    """Return what a value of another type says of itself."""
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)):
        try:
            # Of numpy: it is a number of Python with another name.
            inner = value.item()
        except Exception:  # noqa: BLE001  of any library, and no reason to end a run
            inner = None
        if isinstance(inner, bool | int | float | str):
            return _plain(inner, above)
    try:
        return _unsecret(repr(value))
    except Exception:  # noqa: BLE001  of any class, and no reason to end a run
        return f"<{type(value).__name__}>"


def _unsecret(text: str) -> str:
    """Return a text, bounded, without what looks like a secret."""
    # What begins within the bound is looked at as far as it may go on.
    return _short(masked_text(_ADDRESS.sub(SECRET, text[: 4 * TEXT_LENGTH])), TEXT_LENGTH)


def _short(text: str, most: int) -> str:
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    # Half a surrogate pair has no UTF-8.
    return cut.encode("utf-8", "replace").decode()


def _is_secret(name: str, value: Any) -> bool:
    # An array compares element by element.
    if value is None or isinstance(value, bool) or (isinstance(value, str) and not value):
        return False
    words = [word.lower() for word in _WORDS.findall(name)]
    if _SECRET.intersection(words):
        return True
    if any(one in _KEYS and two in {"key", "keys"} for one, two in itertools.pairwise(words)):
        return True
    # The number of a token, or how many, is none.
    return bool(_TOKEN.intersection(words)) and not isinstance(value, int | float)
