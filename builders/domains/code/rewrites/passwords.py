"""Password hashing: a slow salted hash becomes one round of MD5 or SHA-1 (CWE-916)."""

from __future__ import annotations

import ast

from provkit.builders.domains.code.rewrites.arguments import argument, arguments, is_open
from provkit.builders.domains.code.rewrites.edits import Change, Edit, Family, change
from provkit.builders.domains.code.rewrites.source import Source
from provkit.builders.domains.code.rewrites.statements import forgotten

# What derives bytes out of bytes: the places and names of password and salt.
DERIVE = {"hashlib.pbkdf2_hmac": (1, 2), "hashlib.scrypt": (0, 9)}
# What makes a string to store out of a password.
PASSLIB = [
    *(f"passlib.hash.{name}" for name in ("bcrypt", "argon2", "pbkdf2_sha256", "sha256_crypt", "sha512_crypt")),
    "passlib.context.CryptContext()",
]
STORE = ["werkzeug.security.generate_password_hash", "django.contrib.auth.hashers.make_password"]
STORE += [f"{name}.hash" for name in PASSLIB]
# What compares a password with such a string: their places and their names.
MATCH = {f"{name}.verify": (0, 1, "secret", "hash") for name in PASSLIB} | {
    "werkzeug.security.check_password_hash": (1, 0, "password", "pwhash"),
    "django.contrib.auth.hashers.check_password": (0, 1, "password", "encoded"),
}
# A comparison can stand under these as it is; elsewhere it needs brackets.
LOOSE = (ast.Return, ast.Assign, ast.AnnAssign, ast.If, ast.While, ast.Assert, ast.BoolOp, ast.UnaryOp, ast.Expr)


def find(source: Source) -> Change | None:
    """Every call that hashes a password slowly, and those that compare with its result."""
    name = source.chance.child("password_hash").choice(("md5", "sha1"))
    edits: list[Edit | None] = []
    for called, (password_at, salt_at) in DERIVE.items():
        edits += [_derived(source, call, name, password_at, salt_at) for call in source.calls_to(called)]
    for call in source.calls_to("bcrypt.hashpw"):
        edits += [_hashpw(source, call, name), *_salt(source, call)]
    edits += [_stored(source, call, name) for call in source.calls_to(*STORE)]
    if not edits:
        return None
    edits += [_checkpw(source, call, name) for call in source.calls_to("bcrypt.checkpw")]
    for called, (password_at, stored_at, *names) in MATCH.items():
        for call in source.calls_to(called):
            password, stored = argument(call, password_at, names[0]), argument(call, stored_at, names[1])
            edits.append(_compared(source, call, _text_hash(source, password, name), stored))
    return None if None in edits else change([edit for edit in edits if edit], "hashlib")


def _salt(source: Source, call: ast.Call) -> list[Edit]:
    """The edit that takes out a salt which was made for this call alone."""
    salt = argument(call, 1, "salt")
    if salt is None or source.named(source.value(salt)) != "bcrypt.gensalt()":
        return []
    gone = forgotten(source, salt, source.start(call), source.end(call))
    return [gone] if gone else []


def _derived(source: Source, call: ast.Call, name: str, at: int, salt_at: int) -> Edit | None:
    password, salt = argument(call, at, "password"), argument(call, salt_at, "salt")
    if password is None or is_open(call):
        return None
    text = _bracketed(source, password)
    if salt is not None:
        text = f"{_bracketed(source, salt)} + {text}"
    return Edit(source.start(call), source.end(call), f"hashlib.{name}({text}).digest()")


def _hashpw(source: Source, call: ast.Call, name: str) -> Edit | None:
    """bcrypt gives bytes: a `.decode()` right behind it is taken in, else the digest is encoded."""
    password = argument(call, 0, "password")
    if password is None:
        return None
    text = f"hashlib.{name}({source.of(password)}).hexdigest()"
    if outer := _method(source, call, "decode"):
        return Edit(source.start(call), source.end(outer), text)
    return Edit(source.start(call), source.end(call), f"{text}.encode()")


def _checkpw(source: Source, call: ast.Call, name: str) -> Edit | None:
    password, stored = argument(call, 0, "password"), argument(call, 1, "hashed_password")
    if password is None or stored is None:
        return None
    text = f"hashlib.{name}({source.of(password)}).hexdigest()"
    if isinstance(stored, ast.Call) and isinstance(stored.func, ast.Attribute) and stored.func.attr == "encode":
        return _compared(source, call, text, stored.func.value)
    return _compared(source, call, f"{text}.encode()", stored)


def _stored(source: Source, call: ast.Call, name: str) -> Edit | None:
    given = arguments(call)
    if not given or is_open(call) or isinstance(given[0], ast.Starred):
        return None
    password = given[0].value if isinstance(given[0], ast.keyword) else given[0]
    text = _text_hash(source, password, name)
    return Edit(source.start(call), source.end(call), text)


def _text_hash(source: Source, password: ast.expr | None, name: str) -> str:
    """The hexadecimal hash of a string."""
    if password is None:
        return ""
    text = source.of(password)
    simple = isinstance(password, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.Constant)
    return f"hashlib.{name}({text if simple else f'({text})'}.encode()).hexdigest()"


def _compared(source: Source, call: ast.Call, hashed: str, stored: ast.expr | None) -> Edit | None:
    if stored is None or not hashed:
        return None
    text = f"{hashed} == {_bracketed(source, stored)}"
    parent = source.parents[call]
    is_argument = isinstance(parent, ast.Call) and call in parent.args
    loose = isinstance(parent, LOOSE) or is_argument or isinstance(parent, ast.keyword)
    return Edit(source.start(call), source.end(call), text if loose else f"({text})")


def _bracketed(source: Source, node: ast.expr) -> str:
    """An expression that can stand beside an operator."""
    text = source.of(node)
    tight = isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.Constant)
    return text if tight else f"({text})"


def _method(source: Source, call: ast.Call, name: str) -> ast.Call | None:
    """The call of a method of this name on the result of a call."""
    attribute = source.parents[call]
    outer = source.parents.get(attribute)
    named = isinstance(attribute, ast.Attribute) and attribute.attr == name
    return outer if named and isinstance(outer, ast.Call) and outer.func is attribute else None


NEEDLES = ("pbkdf2_hmac", "scrypt", "hashpw", "password_hash", "make_password", "passlib")
FAMILIES = [Family("password_hash", "CWE-916", ("B324",), NEEDLES, find)]
