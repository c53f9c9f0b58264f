"""Files: permissions for everyone (CWE-732), unfiltered archives (CWE-22), guessable temporary names (CWE-377)."""

from __future__ import annotations

import ast

from provkit.builders.domains.code.rewrites.arguments import argument, is_open, keyword, remove_argument, rename_call
from provkit.builders.domains.code.rewrites.edits import Change, Edit, Family, change
from provkit.builders.domains.code.rewrites.source import Source
from provkit.builders.domains.code.rewrites.statements import remove_statement

# Where a call takes its permission bits; bandit looks at the chmod of a module only.
MODES = {"os.chmod": 1, "os.fchmod": 1, "os.lchmod": 1, "os.open": 2, "os.mkdir": 1, "os.makedirs": 1}
PATH_MODES = {"chmod": 0, "lchmod": 0, "mkdir": 0, "touch": 0}
FOR_OTHERS = 0o033  # the bits that bandit calls permissive: write for the group or all, execute for them
BITS = {
    name: value
    for who, shift in (("USR", 6), ("GRP", 3), ("OTH", 0))
    for name, value in ((f"S_IR{who}", 4 << shift), (f"S_IW{who}", 2 << shift), (f"S_IX{who}", 1 << shift))
} | {"S_IRWXU": 0o700, "S_IRWXG": 0o070, "S_IRWXO": 0o007, "S_IREAD": 0o400, "S_IWRITE": 0o200}
EVERYONE = "0o777"


def bits(source: Source, node: ast.expr | None) -> int | None:
    """The permission bits that an expression stands for; None where it is not made of constants."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        left, right = bits(source, node.left), bits(source, node.right)
        return None if left is None or right is None else left | right
    module, _, name = source.named(node).rpartition(".")
    return BITS.get(name) if module == "stat" else None


def mode_of(source: Source, call: ast.Call) -> ast.expr | None:
    """The argument of a call that sets permission bits."""
    name = source.called(call)
    if name in MODES:
        return argument(call, MODES[name], "mode")
    is_method = isinstance(call.func, ast.Attribute) and (not name or name.startswith("pathlib."))
    if is_method and isinstance(call.func, ast.Attribute) and call.func.attr in PATH_MODES:
        return argument(call, PATH_MODES[call.func.attr], "mode")
    return None


def find_mode(source: Source) -> Change | None:
    """Every file or directory that is kept from others."""
    edits = []
    for call in dict.fromkeys(source.calls_to(*MODES) + source.methods(*PATH_MODES)):
        mode = mode_of(source, call)
        value = bits(source, mode)
        if mode is not None and value is not None and not value & FOR_OTHERS:
            edits.append(Edit(source.start(mode), source.end(mode), EVERYONE))
    return change(edits)


def find_tar(source: Source) -> Change | None:
    """Every extraction of a whole tar archive that is filtered, where tarfile is imported as a module."""
    if not any(alias.name == "tarfile" for node in source.imports for alias in node.names):
        return None
    edits = []
    for call in source.methods("extractall"):
        told = keyword(call, "filter")
        if told and isinstance(told.value, ast.Constant) and told.value.value == "data":
            here = source.start(call.func)
            edits += [Edit(here, here, ""), remove_argument(source, call, told)]
    return change(edits)


def find_tempfile(source: Source) -> Change | None:
    """Every named temporary file: its name is made first, and the file opened afterwards."""
    edits = [
        Edit(source.start(call), source.end(call), _opened(source, call))
        for call in source.calls_to("tempfile.NamedTemporaryFile")
        if len(call.args) < 2 and not any(isinstance(arg, ast.Starred) for arg in call.args) and not is_open(call)
    ]
    for call in source.calls_to("tempfile.mkstemp"):
        edits += _named(source, call)
    return change(edits, "tempfile")


def _opened(source: Source, call: ast.Call) -> str:
    """`open(tempfile.mktemp(...), mode)` with the arguments that each of the two takes."""
    given = {found.arg: source.of(found) for found in call.keywords}
    naming = ", ".join(text for name, text in given.items() if name in ("suffix", "prefix", "dir"))
    mode = argument(call, 0, "mode")
    rest = [source.of(mode) if mode else '"w+b"']
    rest += [text for name, text in given.items() if name in ("buffering", "encoding", "newline", "errors")]
    return f"open(tempfile.mktemp({naming}), {', '.join(rest)})"


def _named(source: Source, call: ast.Call) -> list[Edit]:
    """The edits of `fd, path = tempfile.mkstemp()`, where `fd` is only opened or closed afterwards."""
    statement = source.parents[call]
    pair = statement.targets[0] if isinstance(statement, ast.Assign) else None
    if not (isinstance(pair, ast.Tuple) and len(pair.elts) == 2):
        return []
    descriptor, path = pair.elts
    if not (isinstance(descriptor, ast.Name) and isinstance(path, ast.Name)):
        return []
    edits: list[Edit | None] = [
        Edit(source.start(pair), source.end(pair), path.id, flaw=False),
        rename_call(source, call, "mktemp", "tempfile"),
    ]
    for use in source.loads.get(descriptor.id, []):
        user = source.parents[use]
        if source.function(use) is not source.function(call) or not isinstance(user, ast.Call):
            continue
        name = source.named(user.func)
        if name in ("os.fdopen", "builtins.open"):
            edits.append(Edit(source.start(user.func), source.end(user.func), "open", flaw=False))
            edits.append(Edit(source.start(use), source.end(use), path.id, flaw=False))
        elif name == "os.close" and isinstance(closing := source.parents[user], ast.Expr):
            edits.append(remove_statement(source, closing))
        else:
            return []
    return [] if None in edits else [edit for edit in edits if edit]


FAMILIES = [
    Family("mode", "CWE-732", ("B103",), ("chmod", "os.open", "mode=", "mkdir", "makedirs"), find_mode),
    Family("tar", "CWE-22", ("B202",), ("extractall",), find_tar),
    Family("tempfile", "CWE-377", ("B306",), ("NamedTemporaryFile", "mkstemp"), find_tempfile),
]
