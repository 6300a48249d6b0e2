"""A predicate's text: full-width signs made plain, every character and word allowed or refused with its place."""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from rules.language.names import ALLOWED, CONNECTIVES, unknown_name

LONGEST = 2_000
"""Characters."""
MOST_PARTS = 200
"""Words and signs."""
DEEPEST = 8
"""Parentheses, NOT and minus signs within one another; sqlglot needs some thirty calls for each."""

EXAMPLE = "write a comparison, such as absent_days >= 2"

_WIDE = {"≥": ">=", "≤": "<=", "≠": "<>", "、": ",", "\u3000": " ", "\t": " ", "\r": " ", "\n": "\n"}
_FULL_WIDTH = range(0xFF01, 0xFF5F)
_TO_PLAIN = 0xFEE0
_SIGNS = frozenset("<>=!+-*(),. \n_")
_TYPES = frozenset(
    {
        *(TokenType.VAR, TokenType.NUMBER, TokenType.TRUE, TokenType.FALSE),
        *(TokenType.GT, TokenType.GTE, TokenType.LT, TokenType.LTE, TokenType.EQ, TokenType.NEQ),
        *(TokenType.PLUS, TokenType.DASH, TokenType.STAR, TokenType.L_PAREN, TokenType.R_PAREN, TokenType.COMMA),
        *(TokenType.AND, TokenType.OR, TokenType.NOT, TokenType.BETWEEN, TokenType.IN),
    }
)
_PREFIXES = frozenset({TokenType.NOT, TokenType.DASH, TokenType.PLUS})
_QUOTES = frozenset("'\"“”‘’`")
_INSTEAD = {
    **dict.fromkeys(_QUOTES, "numbers and facts stand without quotes; tags are facts, such as tag_left_behind"),
    "/": "multiply the other side instead, such as seen_days_20 * 2 <= known_days_20",
    "%": "shares are in per cent already, such as absence_rate_20 >= 10",
    ";": "a rule has one condition; join two with AND or OR",
    "|": "write OR",
    "&": "write AND",
}


class PredicateError(ValueError):
    """A predicate that cannot be accepted; `line` and `column` (from 1) are where in its text, if that is known."""

    def __init__(self, fault: str, hint: str | None = None, column: int | None = None, line: int = 1) -> None:
        super().__init__(fault)
        self.fault = fault
        self.hint = hint
        self.column = column
        self.line = line


@dataclass(frozen=True, slots=True)
class Text:
    """A predicate as written and as read: `at` says for each character read where it stands in what was written."""

    written: str
    plain: str
    at: tuple[int, ...]

    def fault(self, fault: str, hint: str | None = None, at: int | None = None) -> PredicateError:
        """An error at a character of the plain text; of the whole text where none is given."""
        if at is None or not self.at:
            return PredicateError(fault, hint)
        place = self.at[min(at, len(self.at) - 1)]
        line = self.written.count("\n", 0, place) + 1
        return PredicateError(fault, hint, place - self.written.rfind("\n", 0, place), line)

    def of(self, node: exp.Expr) -> str:
        """What was written for a node of the tree, on one line."""
        spans = [(part.meta["start"], part.meta["end"]) for part in node.walk() if "start" in part.meta]
        if not spans:
            return node.sql()
        first, last = min(start for start, _ in spans), max(end for _, end in spans)
        return " ".join(self.written[self.at[first] : self.at[last] + 1].split())


def place(node: exp.Expr) -> int | None:
    """Where a node of the tree begins in the plain text."""
    return min((int(part.meta["start"]) for part in node.walk() if "start" in part.meta), default=None)


def read_text(written: str) -> Text:
    """The plain text of what was written; full-width digits, letters and signs become those of the language."""
    if len(written) > LONGEST:
        raise PredicateError(f"longer than {LONGEST} characters", "split it into two rules")
    plain = [_plain(sign) for sign in written]
    at = tuple(index for index, signs in enumerate(plain) for _ in signs)
    return Text(written, "".join(plain), at)


def _plain(sign: str) -> str:
    return chr(ord(sign) - _TO_PLAIN) if ord(sign) in _FULL_WIDTH else _WIDE.get(sign, sign)


def parse(text: Text) -> exp.Expr:
    """The tree of a text of which every character and word is allowed; raises PredicateError."""
    _check_signs(text)
    try:
        words = sqlglot.tokenize(text.plain, read="postgres")
        _check_words(text, words)
        tree = sqlglot.parse_one(text.plain, into=exp.Condition, dialect="postgres")
    except SqlglotError as error:
        raise _unread(text, error) from None
    except RecursionError:
        raise PredicateError("nested too deeply", "use fewer parentheses") from None
    if tree is None:
        raise PredicateError("empty", EXAMPLE)
    return tree


def _check_signs(text: Text) -> None:
    if not text.plain.strip():
        raise PredicateError("empty", EXAMPLE)
    for index, sign in enumerate(text.plain):
        if not (sign in _SIGNS or sign.isalnum()):
            raise text.fault(_not_allowed(sign), _INSTEAD.get(sign, ALLOWED), index)
    if (comment := text.plain.find("--")) >= 0:
        raise text.fault("comments are not allowed", "write them as # … in the line above", comment)


def _not_allowed(sign: str) -> str:
    if sign in _QUOTES:
        return "facts cannot be compared with text"
    return f"'{sign}' is not allowed" if sign.isprintable() else f"the sign {sign!a} is not allowed"


def _check_words(text: Text, words: list[Token]) -> None:
    if len(words) > MOST_PARTS:
        raise PredicateError(f"more than {MOST_PARTS} parts", "split it into two rules")
    depth = prefixes = 0
    for index, word in enumerate(words):
        _check_word(text, words, index)
        depth += (word.token_type is TokenType.L_PAREN) - (word.token_type is TokenType.R_PAREN)
        prefixes = prefixes + 1 if word.token_type in _PREFIXES else 0
        if depth + prefixes > DEEPEST:
            raise text.fault("nested too deeply", f"at most {DEEPEST} parentheses within one another", word.start)


def _check_word(text: Text, words: list[Token], index: int) -> None:
    word = words[index]
    before = words[index - 1].token_type if index else None
    if word.token_type is TokenType.DOT and before is not TokenType.VAR:
        raise text.fault("a number begins with a digit", "such as 0.5", word.start)
    if word.token_type is TokenType.DOT:
        raise text.fault("facts have simple names", "leave out the dot and what stands before it", word.start)
    if word.token_type is TokenType.L_PAREN and before in {TokenType.VAR, TokenType.NUMBER}:
        raise text.fault(f"there is no function '{words[index - 1].text}'", ALLOWED, words[index - 1].start)
    if word.token_type not in _TYPES or word.text in CONNECTIVES:
        fault, hint = unknown_name(word.text, keyword=True)
        raise text.fault(fault, hint, word.start)


def _unread(text: Text, error: SqlglotError) -> PredicateError:
    """What sqlglot could not read, at the place where it says it stopped."""
    stops = [stop for stop in getattr(error, "errors", ()) if stop.get("line") and stop.get("col")]
    fault = "cannot be read as a condition"
    if not stops:
        return PredicateError(fault, EXAMPLE)
    lines = text.plain.split("\n")
    before = sum(len(line) + 1 for line in lines[: stops[0]["line"] - 1])
    return text.fault(fault, EXAMPLE, before + max(stops[0]["col"] - len(stops[0].get("highlight") or "x"), 0))
