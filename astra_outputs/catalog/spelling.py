"""What PostgreSQL takes in a table's SQL and sqlglot does not: left out where it says nothing of what is compared.

A statement is changed token by token before sqlglot reads it: options of an identity, storage, `not valid` and the
like go, and texts in PostgreSQL's other spellings become plain ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import Token, TokenType

_PAIRS = {("not", "valid"), ("not", "enforced"), ("no", "inherit")}
"""Words behind a constraint that say when, and for whom, it is kept."""

_TUNING = ("storage", "compression")
"""Words behind a column's type, each with a word of its own, that say how its values are kept."""

_TEXTS = (TokenType.STRING, TokenType.BYTE_STRING, TokenType.UNICODE_STRING, TokenType.HEREDOC_STRING)
_UNICODE = re.compile(r"\\(?:\\|\+([0-9a-fA-F]{6})|([0-9a-fA-F]{4}))")


def plain(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens of one statement as sqlglot reads them."""
    tokens = list(_texts(tokens))
    kept: list[Token] = []
    at = 0
    while at < len(tokens):
        token, word = tokens[at], _word(tokens[at])
        before, after = _word(kept[-1]) if kept else "", _word(tokens[at + 1]) if at + 1 < len(tokens) else ""
        if (word, after) in _PAIRS or (
            word in _TUNING and before not in ("(", ",", "column", "set", "exists")
        ):
            at += 2
        elif word == "identity" and after == "(":
            kept.append(token)
            at = _behind_brackets(tokens, at + 1)
        elif (word == "unlogged" and len(kept) == 1) or (word == "virtual" and before == ")"):
            at += 1
        elif word == "array" and after != "[" and before not in ("=", "(", ","):
            kept += [_like(token, TokenType.L_BRACKET, "["), _like(token, TokenType.R_BRACKET, "]")]
            at += 1
        elif token.token_type is TokenType.L_BRACKET and _is_length(tokens, at):
            kept += [token, tokens[at + 2]]
            at += 3
        else:
            kept.append(token)
            at += 1
    return _comment_of_null(kept)


FOLLOWED = re.compile(
    r"add |drop |rename |alter (?:column )?\S+ (?:type|set data|set default|set not null|drop default|drop not null|"
    r"add generated|drop identity)"
)
"""The actions of `alter table` that say something of what is compared; the others are passed over."""


def parts(tokens: list[Token]) -> Iterator[list[Token]]:
    """Yield a statement, or an `alter table` for each of its actions that is followed."""
    if [_word(token) for token in tokens[:2]] != ["alter", "table"]:
        yield tokens
        return
    at = 2
    while _word(tokens[at]) in ("if", "exists", "only"):
        at += 1
    end = at + 1
    while end + 1 < len(tokens) and _word(tokens[end]) == ".":
        end += 2
    for action in _split_at_commas(tokens[end:]):
        words = " ".join(token.text if _word(token) else "x" for token in action).lower()
        if FOLLOWED.match(words):
            yield [*tokens[:2], *tokens[at:end], *action]


@dataclass(frozen=True)
class Action:
    """An action of `alter table` that sqlglot does not know: "rename constraint", "add identity", "drop identity".

    `names` are those of what it changes, old and new.
    """

    table: str
    verb: str
    names: tuple[str, ...]


def action_of(tokens: Sequence[Token]) -> Action | None:
    """Return what sqlglot would not read of an `alter table` with one action; None where it does."""
    words, names = [_word(token) for token in tokens], [_folded(token) for token in tokens]
    for verb, mark in (
        ("rename constraint", ["rename", "constraint"]),
        ("add identity", ["add", "generated"]),
    ):
        for place in range(3, len(words) - 1):
            if words[place : place + 2] == mark:
                table = names[place - 1] if verb == "rename constraint" else names[_before_alter(words)]
                changed = (
                    (names[place + 2], names[place + 4])
                    if verb == "rename constraint"
                    else (names[place - 1],)
                )
                return Action(table, verb, changed)
    if words[-2:] == ["drop", "identity"] or words[-4:] == ["drop", "identity", "if", "exists"]:
        place = len(words) - (2 if words[-1] == "identity" else 4)
        return Action(names[_before_alter(words)], "drop identity", (names[place - 1],))
    return None


def _before_alter(words: Sequence[str]) -> int:
    return next(place for place in range(3, len(words)) if words[place] == "alter") - 1


def _folded(token: Token) -> str:
    return token.text if token.token_type is TokenType.IDENTIFIER else token.text.lower()


def _split_at_commas(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    depth = 0
    chunk: list[Token] = []
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(_word(token), 0)
        if _word(token) == "," and depth == 0:
            yield chunk
            chunk = []
        else:
            chunk.append(token)
    yield chunk


def _word(token: Token) -> str:
    return (
        "" if token.token_type in _TEXTS or token.token_type is TokenType.IDENTIFIER else token.text.lower()
    )


def _like(token: Token, kind: TokenType, text: str) -> Token:
    return Token(kind, text, line=token.line, col=token.col, start=token.start, end=token.end)


def _is_length(tokens: Sequence[Token], at: int) -> bool:
    """Whether `[3]` stands behind a type."""
    kinds = [token.token_type for token in tokens[at + 1 : at + 3]]
    previous = _word(tokens[at - 1]) if at else ""
    return kinds == [TokenType.NUMBER, TokenType.R_BRACKET] and previous not in ("array", ")")


def _behind_brackets(tokens: Sequence[Token], at: int) -> int:
    """Return the place behind the brackets that open here."""
    depth = 0
    for place in range(at, len(tokens)):
        depth += {"(": 1, ")": -1}.get(_word(tokens[place]), 0)
        if depth == 0:
            return place + 1
    return len(tokens)


def _texts(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens with each text as a plain one; those in a row are one text."""
    text: Token | None = None
    for token in tokens:
        if token.token_type not in _TEXTS:
            if text is not None:
                yield text
                text = None
            yield token
            continue
        said = token.text
        if token.token_type is TokenType.UNICODE_STRING:
            said = _UNICODE.sub(
                lambda code: chr(int(code[1] or code[2], 16)) if code[0] != r"\\" else "\\", said
            )
        text = _like(token, TokenType.STRING, said if text is None else text.text + said)
    if text is not None:
        yield text


def _comment_of_null(tokens: list[Token]) -> list[Token]:
    """Write `comment on ... is null` as the empty comment that it leaves."""
    if _word(tokens[0]) == "comment" and _word(tokens[-1]) == "null":
        return [*tokens[:-1], _like(tokens[-1], TokenType.STRING, "")]
    return tokens
