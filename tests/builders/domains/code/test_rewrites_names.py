"""What the rewrites leave alone: names that mean something else, idioms that are no weakness when rewritten."""

import pytest

from provkit.builders.domains.code.insecure import InsecureRewrite
from provkit.builders.domains.code.rewrites.source import Source
from provkit.row import Drop, Row

UNTOUCHED = [
    ("sql", "a query that is put together already", 'c.execute(f"SELECT * FROM {t} WHERE a = ?", (x,))\n'),
    ("sql", "numbers alone", 'c.execute("SELECT * FROM t WHERE a = ?", (int(x),))\n'),
    ("sql", "constants alone", 'c.execute("SELECT * FROM t WHERE a = ?", ("x",))\n'),
    ("sql", "no statement", 'pool.execute("run ?", (x,))\n'),
    ("sql", "more values than placeholders", 'c.execute("SELECT * FROM t WHERE a = ?", (x, y))\n'),
    ("sql", "a placeholder inside a string", "c.execute(\"SELECT * FROM t WHERE a = '?'\", (x,))\n"),
    ("sql", "values that are not seen", 'def f(c, v):\n    c.execute("SELECT * FROM t WHERE a = ?", v)\n'),
    ("sql", "a dict that lacks a name", 'c.execute("SELECT * FROM t WHERE a = :a", {"b": x})\n'),
    ("autoescape", "off already", "import jinja2\njinja2.Environment(autoescape=False)\n"),
    ("autoescape", "another library", "from mine import Environment\nEnvironment(autoescape=True)\n"),
    ("yaml", "another library", "from ruamel import yaml\nyaml.safe_load(x)\n"),
    ("yaml", "a parameter", "import yaml\ndef f(yaml):\n    yaml.safe_load(x)\n"),
    ("yaml", "no room for an argument", "import yaml\nyaml.safe_load(line for line in f)\n"),
    ("yaml", "only what bandit does not see", "import yaml\nyaml.safe_load_all(f)\n"),
    ("shell", "constants alone", 'import subprocess\nsubprocess.run(["ls", "-l"])\n'),
    ("shell", "a shell already", 'import subprocess\nsubprocess.run(["a", x], shell=True)\n'),
    ("shell", "a function of the source", 'import subprocess\ndef run(a): ...\nrun(["a", x])\n'),
    ("shell", "another library", 'from invoke import run\nimport subprocess\nrun(["a", x])\n'),
    ("shell", "a list that is not seen", "import subprocess\ndef f(cmd):\n    subprocess.run(cmd)\n"),
    ("shell", "a name bound twice", 'import subprocess\nc = ["a", x]\nc = "b"\nsubprocess.run(c)\n'),
    ("mode", "bits for others", "import os\nos.chmod(p, 0o755)\n"),
    ("mode", "a mode that is not seen", "import os\nos.chmod(p, mode)\n"),
    ("mode", "not the module", "os = Fake()\nos.chmod(p, 0o600)\n"),
    ("verify", "off already", "import requests\nrequests.get(u, verify=False)\n"),
    ("verify", "what may be given already", "import requests\nrequests.get(u, **options)\n"),
    ("verify", "a value that is not seen", "import requests\nrequests.get(u, verify=flag)\n"),
    ("verify", "another object", "requests = Queue()\nrequests.get(u)\n"),
    ("verify", "only what bandit does not see", "import requests\nrequests.Session().get(u)\n"),
    ("cert", "a server's", "import ssl\nssl.create_default_context(ssl.Purpose.CLIENT_AUTH)\n"),
    ("cert", "hardened", "import ssl\nc = ssl.create_default_context()\nc.verify_mode = ssl.CERT_REQUIRED\n"),
    (
        "password_hash",
        "a check alone",
        "from werkzeug.security import check_password_hash\ncheck_password_hash(a, b)\n",
    ),
    ("password_hash", "a fast hash", "import hashlib\nhashlib.sha256(p).hexdigest()  # not scrypt\n"),
    ("token", "a variable", "secrets = load()\nsecrets.choice(x)\n"),
    ("token", "random is taken", "import numpy.random as random\nimport secrets\nsecrets.choice(x)\n"),
    ("token", "no call", "import secrets\nmake = secrets.token_hex\n"),
    ("pickle", "writing alone", "import json\njson.dumps(x)\n"),
    ("pickle", "the reply of a service", "import json\njson.loads(reply.text)\n"),
    ("pickle", "hooks", "import json\njson.loads(x, object_hook=f)\n"),
    ("pickle", "a local name", "def f(json):\n    return json.loads(x)  # import json\n"),
    ("path", "no check", "import os\ndef f(name):\n    return os.path.join(ROOT, name)  # startswith\n"),
    (
        "path",
        "a check of something else",
        "def f(p, name):\n    q = p / name\n    if not name.startswith('a'):\n        return\n",
    ),
    (
        "path",
        "the whole branch hangs on it",
        "def f(b, n):\n    t = b / n\n    if t.is_relative_to(b):\n        go(t)\n",
    ),
    ("eval", "a function of the source", "import ast\ndef eval(x): ...\nast.literal_eval(x)\n"),
    ("eval", "a constant", "import ast\nast.literal_eval('[1]')\n"),
    ("debug", "on already", "from flask import Flask\nFlask(__name__).run(debug=True)\n"),
    ("debug", "another framework", "import flask, bottle\napp = bottle.Bottle()\napp.run()\n"),
    ("xml", "no parser", "import defusedxml.ElementTree as ET\nET.tostring(x)\n"),
    ("tar", "no filter", "import tarfile\ntarfile.open(p).extractall(d)\n"),
    ("tar", "no tarfile", "archive.extractall(d, filter='data')\n"),
    ("secret", "no secret", "import os\nHOME = os.environ['HOME']\nTOKEN_URL = os.environ['TOKEN_URL']\n"),
    ("secret", "inside an f-string", "import os\nx = f\"{f(password=os.environ['A'])}\"\n"),
    ("tempfile", "a descriptor in use", "import os, tempfile\nfd, p = tempfile.mkstemp()\nos.write(fd, x)\n"),
    ("bind", "a client", "import redis\nredis.Redis(host='localhost')\n"),
    ("bind", "a host to connect to", "H = 'localhost'\ns.bind((H, 1))\nt.connect((H, 1))\n"),
]


@pytest.mark.parametrize(("family", "code"), [pytest.param(f, c, id=f"{f}: {what}") for f, what, c in UNTOUCHED])
def test_it_is_left_alone(family, code):
    assert InsecureRewrite(families=(family,)).apply(Row({"answer": code})) == Drop("no idiom", f"of {family}")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import a\na.b()", "a.b"),
        ("import a.b\na.b.c()", "a.b.c"),
        ("import a.b as c\nc.d()", "a.b.d"),
        ("from a.b import c as d\nd()", "a.b.c"),
        ("from a import b\nc = b\nc()", "a.b"),
        ("from . import a\na()", ""),
        ("a()", "builtins.a"),
        ("def a(): ...\na()", ""),
        ("import a\nwith a.open() as b:\n    b.c()", "a.open().c"),
        (
            "import a\nclass C:\n    def __init__(self):\n        self.x = a.X()\n    def f(self):\n        self.x.y()",
            "a.X().y",
        ),
        ("import a\ndef f(x: a.X):\n    x.y()", "a.X().y"),
        ("import a\ndef f(a):\n    a.y()", ""),
        ("import a\ndef f():\n    def g():\n        a.y()", "a.y"),
        ("class C:\n    import a\n    def f(self):\n        a.y()", "builtins.a.y"),
        ("try:\n    import a\nexcept ImportError:\n    a = None\na.b()", "a.b"),
        ("try:\n    import a\nexcept ImportError:\n    import b as a\na.b()", ""),
        ("def f():\n    global a\n    import a\na.b()", "a.b"),
        ("x = x.y()\nx.z()", ""),
        ("import a\nfor x in a.b:\n    x.c()", ""),
    ],
)
def test_a_call_leads_to_the_name_that_python_would_look_up(code, name):
    source = Source(code)
    assert source.called(max(source.calls, key=source.end)) == name


def test_a_variable_that_is_assigned_over_and_over_is_resolved_at_once():
    code = "s = open(p)\n" + "s = s.replace(a, b).strip()\n" * 60 + "s.extractall(d, filter='data')\n"
    source = Source(code)
    assert source.called(source.calls[-1]) == ""


@pytest.mark.parametrize(
    "text", ["x = f(é, 'ü')  # ä", "日本 = 'a'; x = g(日本, y)", "\tif a:\r\n\t\tf('é', g(b))\r\n"]
)
def test_places_are_counted_in_characters(text):
    """Python gives columns in bytes; the text of every call is a call."""
    source = Source("if 1:\n" + text if text.startswith("\t") else text)
    for call in source.calls:
        assert source.of(call).startswith(("f(", "g(")) and source.of(call).endswith(")")
