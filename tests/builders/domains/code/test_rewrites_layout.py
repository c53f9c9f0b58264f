"""How the text around a rewrite looks afterwards: comments, line breaks, commas, imports."""

import ast

import pytest

from provkit.builders.domains.code.insecure import InsecureRewrite
from provkit.builders.domains.code.rewrites.arguments import append_argument, remove_argument
from provkit.builders.domains.code.rewrites.edits import Edit, applied, in_order
from provkit.builders.domains.code.rewrites.source import Source
from provkit.row import Row


def rewrite(family, code):
    row = InsecureRewrite(families=(family,)).apply(Row({"answer": code}))
    assert isinstance(row, Row), row
    return row.answer


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()", "f(n=1)"),
        ("f(a)", "f(a, n=1)"),
        ("f(a,)", "f(a, n=1)"),
        ("f((a))", "f((a), n=1)"),
        ("f(a  # one, (two)\n)", "f(a, n=1  # one, (two)\n)"),
        ("f(\n    a,\n)", "f(\n    a,\n    n=1,\n)"),
        ("f(\n\ta,  # one\n\tb,  # two\n)", "f(\n\ta,  # one\n\tb,  # two\n\tn=1,\n)"),
        ("f(a, *b, **c)", "f(a, *b, **c, n=1)"),
        ("f([x for x in y])", "f([x for x in y], n=1)"),
        ("f((x for x in y))", "f((x for x in y), n=1)"),
        ("f(x for x in y)", None),
    ],
)
def test_an_argument_is_added_at_the_end(before, after):
    source = Source(before)
    edit = append_argument(source, source.calls[-1], "n=1")
    assert (applied(before, [edit])[0] if edit else None) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(gone)", "f()"),
        ("f(gone,)", "f()"),
        ("f(a, gone)", "f(a)"),
        ("f(a, gone,)", "f(a,)"),
        ("f(a, (gone))", "f(a)"),
        ("f(a, gone, b)", "f(a, b)"),
        ("f(gone, *b)", "f(*b)"),
        ("f(a, gone=1, b=2)", "f(a, b=2)"),
        ("f(\n    a,\n    gone,\n)", "f(\n    a,\n)"),
        ("f(\n    a,  # one\n    gone=1,  # two\n)", "f(\n    a,  # one\n)"),
        ("f(\n    a,  # one\n    gone,\n    b,\n)", "f(\n    a,  # one\n    b,\n)"),
        ("f(a,  # one\n  gone)", "f(a,  # one\n  )"),
        ("f(a, gone(\n    1,\n))", "f(a)"),
    ],
)
def test_an_argument_is_taken_out_with_one_comma(before, after):
    source = Source(before)
    call = source.calls[-1]
    gone = next(node for node in [*call.args, *call.keywords] if source.of(node).strip("(").startswith("gone"))
    assert applied(before, [remove_argument(source, call, gone)])[0] == after


def test_edits_that_want_the_same_text_are_refused():
    assert in_order([Edit(0, 4, "a"), Edit(3, 5, "b")]) is None
    assert in_order([Edit(3, 5, "b"), Edit(0, 3, "a"), Edit(3, 3, "c")]) == [
        Edit(0, 3, "a"),
        Edit(3, 3, "c"),
        Edit(3, 5, "b"),
    ]


@pytest.mark.parametrize(
    ("family", "before", "after"),
    [
        (
            "yaml",
            "import yaml\né, x = 'ü', yaml.safe_load(y)  # ñ\n",
            "import yaml\né, x = 'ü', yaml.load(y, Loader=yaml.Loader)  # ñ\n",
        ),
        (
            "eval",
            "import ast\n\tx = 1\n".replace("\t", "if y:\n\t") + "\tz = ast.literal_eval( y )",
            "if y:\n\tx = 1\n\tz = eval( y )",
        ),
        (
            "verify",
            "import requests\r\nrequests.get(\r\n    u,\r\n)\r\n",
            "import requests\r\nrequests.get(\r\n    u,\r\n    verify=False,\r\n)\r\n",
        ),
        (
            "pickle",
            "import json\r\nx = json.loads(y)\r\n",
            "import base64\r\nimport pickle\r\nx = pickle.loads(base64.b64decode(y))\r\n",
        ),
        (
            "eval",
            "from ast import literal_eval\n\n@cached(literal_eval(y))\ndef f(): ...\n",
            "@cached(eval(y))\ndef f(): ...\n",
        ),
        (
            "yaml",
            "import yaml\nyaml.safe_load(yaml.safe_load(x)['y'])\n",
            "import yaml\nyaml.load(yaml.load(x, Loader=yaml.Loader)['y'], Loader=yaml.Loader)\n",
        ),
        (
            "token",
            "import secrets\nsecrets.token_hex(secrets.randbelow(9))\n",
            "import random\nrandom.randbytes(random.randrange(9)).hex()\n",
        ),
        ("eval", 'import ast\nf"{ast.literal_eval(x)} ast.literal_eval(y)"\n', 'f"{eval(x)} ast.literal_eval(y)"\n'),
        ("mode", "import os; os.chmod(p, 0o600); x = 1\n", "import os; os.chmod(p, 0o777); x = 1\n"),
    ],
)
def test_the_rest_of_the_text_stays(family, before, after):
    assert rewrite(family, before) == after


def test_a_call_that_is_also_the_text_of_an_f_string_is_left():
    text = "z = f'ast.literal_eval(y) {1}', f'{ast.literal_eval( y )} ast.literal_eval(y)'"
    code = f"import ast\nx = ast.literal_eval(y)\n{text}\n"
    assert rewrite("eval", code) == code.replace("x = ast.literal_eval(y)", "x = eval(y)")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import secrets  # why", "import random  # why"),
        ("import os, secrets", "import os\nimport random"),
        ("import os\nimport secrets\nimport sys", "import os\nimport random\nimport sys"),
        ("import random\nimport secrets\nimport sys", "import random\nimport sys"),
        ("from secrets import choice\nfrom os import path", "import random\nfrom os import path"),
        (
            "from secrets import (\n    choice,  # one\n    compare_digest,  # two\n)",
            "import random\nfrom secrets import (\n    compare_digest,  # two\n)",
        ),
        ("from secrets import compare_digest, choice", "import random\nfrom secrets import compare_digest"),
        ('"""Doc."""\nimport secrets', '"""Doc."""\nimport random'),
    ],
)
def test_imports_change_as_little_as_they_can(before, after):
    call = "choice(x)" if "choice" in before else "secrets.choice(x)"
    assert rewrite("token", f"{before}\n\ny = {call}\n") == f"{after}\n\ny = random.choice(x)\n"


@pytest.mark.parametrize(
    ("head", "new_head"),
    [
        ("", "import os\n\n"),
        ("# top\n", "# top\nimport os\n\n"),
        ('"""Doc."""\n', '"""Doc."""\n\nimport os\n'),
        (
            '"""Doc."""\nfrom __future__ import annotations\n',
            '"""Doc."""\nfrom __future__ import annotations\n\nimport os\n',
        ),
        ("import abc\nimport sys\n", "import abc\nimport os\nimport sys\n"),
        ("from a import b\n", "import os\nfrom a import b\n"),
        ("import os\n", "import os\n"),
    ],
)
def test_a_new_import_goes_under_docstring_and_future_and_by_the_alphabet(head, new_head):
    code = "def f(n):\n    from werkzeug.utils import safe_join\n    return safe_join(D, n)\n"
    new = "def f(n):\n    return os.path.join(D, n)\n"
    assert rewrite("path", head + code) == new_head + new


def test_an_import_that_is_all_of_a_block_stays():
    code = "try:\n    import bcrypt\nexcept ImportError:\n    bcrypt = None\nx = bcrypt.hashpw(p, bcrypt.gensalt())\n"
    assert "    import bcrypt\n" in rewrite("password_hash", code)
    ast.parse(rewrite("password_hash", code))
