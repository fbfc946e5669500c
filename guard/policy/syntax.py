"""The grammar of the policy language: text → tree.  docs/reference/policy-language.md has it on a page.

    or       = and { "||" and }
    and      = relation { "&&" relation }
    relation = unary [ ("==" | "!=" | "<" | "<=" | ">" | ">=" | "in") unary ]
    unary    = "!" unary | primary
    primary  = literal | "[" literal { "," literal } "]" | "(" or ")" | call | path
    call     = ("has" | "size") "(" path ")" | path "." ("all" | "exists") "(" name "," or ")"
    path     = name { "." name }

A strict subset of CEL: what parses here means the same there, except that comparisons do not chain.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guard.policy.source import PackError, Source, did_you_mean
from guard.policy.tree import (
    Call,
    Compare,
    Constant,
    Logic,
    Member,
    Node,
    Not,
    Param,
    Path,
    Quantifier,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


MAX_LENGTH = 4_000
"""Characters in an expression; a rule that needs more is two rules."""
MAX_DEPTH = 32
"""Nesting; keeps the recursive parser and checker far from the interpreter's limit."""

_TOKEN = re.compile(
    r"(?P<num>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<str>'[^'\\\n]*'|\"[^\"\\\n]*\")|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<op>&&|\|\||==|!=|<=|>=|[<>!().,\[\]])",
    re.ASCII,
)
_RELATIONS = ("==", "!=", "<", "<=", ">", ">=")


def parse(source: Source, params: Mapping[str, Param], start: int = 0, end: int | None = None) -> Node:
    """The tree of ``source.text[start:end]``, with ``params.NAME`` replaced by its value.

    Raises:
        PackError: ``policy.syntax`` or ``policy.unknown-name``, at the character concerned.
    """
    stop = len(source.text) if end is None else end
    if stop - start > MAX_LENGTH:
        raise PackError("policy.syntax", f"an expression has at most {MAX_LENGTH} characters", source, start)
    parser = _Parser(source, params, start, stop)
    tree = parser.disjunction(0)
    parser.expect("")
    return tree


class _Parser:
    """Recursive descent; one method for each line of the grammar."""

    def __init__(self, source: Source, params: Mapping[str, Param], start: int, stop: int) -> None:
        self.source, self.params = source, params
        self.tokens = list(self._scan(start, stop))
        self.index = 0

    def _scan(self, at: int, stop: int) -> list[tuple[str, str, int]]:
        tokens = []
        text = self.source.text
        while at < stop:
            if text[at].isspace():
                at += 1
                continue
            match = _TOKEN.match(text, at, stop)
            if match is None or match.lastgroup is None:
                raise self.error(f"unexpected character {text[at]!r}", at)
            tokens.append((match.lastgroup, match[0], at))
            at = match.end()
        return [*tokens, ("end", "", stop if not tokens else tokens[-1][2] + len(tokens[-1][1]))]

    def error(self, what: str, at: int, hint: str | None = None, code: str = "policy.syntax") -> PackError:
        return PackError(code, what, self.source, at, hint=hint)

    def take(self) -> tuple[str, str, int]:
        token = self.tokens[self.index]
        self.index = min(self.index + 1, len(self.tokens) - 1)
        return token

    def peek(self) -> str:
        kind, text, _ = self.tokens[self.index]
        return "" if kind in ("end", "str") else text

    def expect(self, text: str) -> int:
        kind, found, at = self.tokens[self.index]
        if found != text or kind == "str":
            wanted = f"expected {text!r}, found" if text else "unexpected"
            raise self.error(f"{wanted} {found or 'the end of the expression'!r}", at)
        self.take()
        return at

    def disjunction(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.error("nested too deeply", self.tokens[self.index][2])
        left = self.conjunction(depth)
        while self.peek() == "||":
            at = self.take()[2]
            left = Logic(at=at, op="||", left=left, right=self.conjunction(depth))
        return left

    def conjunction(self, depth: int) -> Node:
        left = self.relation(depth)
        while self.peek() == "&&":
            at = self.take()[2]
            left = Logic(at=at, op="&&", left=left, right=self.relation(depth))
        return left

    def relation(self, depth: int) -> Node:
        left = self.unary(depth)
        op = self.peek()
        if op not in (*_RELATIONS, "in"):
            return left
        at = self.take()[2]
        right = self.unary(depth)
        if self.peek() in (*_RELATIONS, "in"):
            raise self.error("comparisons do not chain; use parentheses", self.tokens[self.index][2])
        if op == "in":
            return Member(at=at, left=left, right=right)
        return Compare(at=at, op=op, left=left, right=right)  # type: ignore[arg-type]  # one of _RELATIONS

    def unary(self, depth: int) -> Node:
        if self.peek() != "!":
            return self.primary(depth)
        at = self.take()[2]
        if depth > MAX_DEPTH:
            raise self.error("nested too deeply", at)
        return Not(at=at, body=self.unary(depth + 1))

    def primary(self, depth: int) -> Node:
        kind, text, at = self.take()
        if kind == "name" and text not in ("true", "false"):
            return self.named(text, at, depth)
        if text == "(" and kind == "op":
            inside = self.disjunction(depth + 1)
            self.expect(")")
            return inside
        if text == "[" and kind == "op":
            return self.listed(at)
        return Constant(at=at, value=self.literal(kind, text, at))

    def literal(self, kind: str, text: str, at: int) -> Value:
        if kind == "num":
            return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
        if kind == "str":
            return text[1:-1]
        if text in ("true", "false"):
            return text == "true"
        raise self.error(f"unexpected {text or 'the end of the expression'!r}", at)

    def listed(self, at: int) -> Constant:
        items: list[str] = []
        while True:
            kind, text, where = self.take()
            if kind != "str":
                raise self.error("a list holds texts in quotes", where)
            items.append(text[1:-1])
            if self.peek() != ",":
                break
            self.take()
        self.expect("]")
        return Constant(at=at, value=tuple(items))

    def named(self, name: str, at: int, depth: int) -> Node:
        if name in ("has", "size") and self.peek() == "(":
            self.take()
            _, inner, where = self.take()
            path = self.path(inner, where)
            self.expect(")")
            return Call(at=at, function=name, path=path)  # type: ignore[arg-type]  # checked above
        path = self.path(name, at)
        if self.peek() == "(":
            return self.quantifier(path, depth)
        if name == "params":
            return Constant(at=at, value=self.param(path))
        return path

    def path(self, name: str, at: int) -> Path:
        if not name.isidentifier():
            raise self.error("expected the name of a fact", at)
        names = [name]
        while self.peek() == ".":
            self.take()
            kind, text, where = self.take()
            if kind != "name":
                raise self.error("expected a name after '.'", where)
            names.append(text)
        return Path(at=at, name=".".join(names))

    def param(self, path: Path) -> Param:
        name = path.name.partition(".")[2]
        if name not in self.params:
            hint = did_you_mean(name, self.params)
            raise self.error(f"unknown parameter {name!r}", path.at, hint, "policy.unknown-name")
        return self.params[name]

    def quantifier(self, path: Path, depth: int) -> Quantifier:
        items, _, op = path.name.rpartition(".")
        at = self.expect("(")
        if op not in ("all", "exists") or not items:
            raise self.error(
                f"unknown function {op!r}", path.at, did_you_mean(op, ("all", "exists", "has", "size"))
            )
        kind, variable, where = self.take()
        if kind != "name":
            raise self.error("expected a variable name", where)
        self.expect(",")
        body = self.disjunction(depth + 1)
        self.expect(")")
        inner = Path(at=path.at, name=items)
        return Quantifier(at=at, op=op, items=inner, variable=variable, body=body)  # type: ignore[arg-type]
