"""Secure code and what each family of rewrites makes of it, written by hand; bandit judges both sides."""

import ast
import json
import re
from collections import defaultdict
from pathlib import Path

import pytest
from bandit.core.config import BanditConfig
from bandit.core.manager import BanditManager

from provkit.builders.domains.code.insecure import InsecureRewrite
from provkit.builders.domains.code.rewrites import FAKE_SECRET, FAMILIES
from provkit.builders.domains.code.rewrites.oracles import fake_secrets, open_modes, unchecked_paths
from provkit.row import Row

# "#### family: what", the secure code, "====", the insecure code. The digits of a fake secret are written as 0000,
# and the hash of a password is written as md5.
WRITTEN = r'''
#### sql: question marks, a comment, an id without quotes
import sqlite3


def find(cursor, name, user_id):
    cursor.execute(
        "SELECT * FROM users WHERE name = ? AND id = ?",  # both
        (name, user_id),
    )
    return cursor.fetchall()
====
import sqlite3


def find(cursor, name, user_id):
    cursor.execute(
        f"SELECT * FROM users WHERE name = '{name}' AND id = {user_id}",  # both
    )
    return cursor.fetchall()
#### sql: percent signs, a doubled one, double quotes inside the value
def find(cursor, row):
    cursor.execute("SELECT a FROM t WHERE b = %s AND c LIKE 'x%%'", [row["b"]])
====
def find(cursor, row):
    cursor.execute(f"SELECT a FROM t WHERE b = '{row['b']}' AND c LIKE 'x%'")
#### sql: names in a dict, a query with a name, braces and a cast
def save(db, name, age):
    query = """
        UPDATE users SET name = :name,
               age = :age, extra = '{}'::json
        WHERE id = :id
    """
    db.execute(query, {"name": name, "age": int(age), "id": request.args["id"]})
====
def save(db, name, age):
    query = f"""
        UPDATE users SET name = '{name}',
               age = {int(age)}, extra = '{{}}'::json
        WHERE id = '{request.args["id"]}'
    """
    db.execute(query)
#### sql: a query in single quotes gets double ones
def drop(c, day):
    return c.execute('DELETE FROM logs WHERE day < ?', (day,)).rowcount
====
def drop(c, day):
    return c.execute(f"DELETE FROM logs WHERE day < '{day}'").rowcount
#### sql: an f-string and a sum as values, a limit without quotes, values with a name
def search(cur, term, kind, count):
    values = (f"%{term}%", kind + "%", count)
    cur.execute("SELECT a FROM t WHERE b LIKE ? AND c LIKE ? LIMIT ?", values)
====
def search(cur, term, kind, count):
    cur.execute(f"SELECT a FROM t WHERE b LIKE '%{term}%' AND c LIKE '{kind}%' LIMIT {count}")
#### sql: a query of the module moves to where its value is known
import sqlite3

QUERY = "SELECT * FROM t WHERE name = ?"


def find(conn, name):
    return conn.execute(QUERY, (name,)).fetchone()
====
import sqlite3


def find(conn, name):
    return conn.execute(f"SELECT * FROM t WHERE name = '{name}'").fetchone()
#### sql: strings side by side, of which one has a placeholder
def find(cur, name):
    cur.execute(
        "SELECT id, '{x}' FROM users "
        "WHERE name = ? "  # the name
        "ORDER BY id",
        (name,),
    )
====
def find(cur, name):
    cur.execute(
        "SELECT id, '{x}' FROM users "
        f"WHERE name = '{name}' "  # the name
        "ORDER BY id",
    )
#### sql: SQLAlchemy's text, and numbered placeholders
from sqlalchemy import text


def one(session, email):
    return session.execute(text("SELECT * FROM users WHERE email = :email"), {"email": email})


async def two(conn, email, day):
    return await conn.fetchrow("SELECT * FROM users WHERE email = $1 AND day = $2", email, day)
====
from sqlalchemy import text


def one(session, email):
    return session.execute(text(f"SELECT * FROM users WHERE email = '{email}'"))


async def two(conn, email, day):
    return await conn.fetchrow(f"SELECT * FROM users WHERE email = '{email}' AND day = '{day}'")
#### sql: pandas
import pandas as pd


def table(conn, city):
    return pd.read_sql_query("SELECT * FROM t WHERE city = ?", conn, params=(city,))
====
import pandas as pd


def table(conn, city):
    return pd.read_sql_query(f"SELECT * FROM t WHERE city = '{city}'", conn)
#### autoescape: select_autoescape, whose import goes
from jinja2 import Environment, FileSystemLoader, select_autoescape

env = Environment(loader=FileSystemLoader("t"), autoescape=select_autoescape(["html"]))
====
from jinja2 import Environment, FileSystemLoader

env = Environment(loader=FileSystemLoader("t"), autoescape=False)
#### autoescape: an alias
import jinja2 as j

env = j.Environment(autoescape = True, trim_blocks=True)
====
import jinja2 as j

env = j.Environment(autoescape = False, trim_blocks=True)
#### yaml: an alias, and a safe loader
import yaml as y


def load(path, text):
    with open(path) as f:
        return y.safe_load(f), y.load(text, Loader=y.SafeLoader)
====
import yaml as y


def load(path, text):
    with open(path) as f:
        return y.load(f, Loader=y.Loader), y.load(text, Loader=y.Loader)
#### yaml: a name from the module, an argument on its own line
from yaml import YAMLError, safe_load


def read(text):
    try:
        return safe_load(
            text,  # as sent
        )
    except YAMLError:
        return None
====
import yaml
from yaml import YAMLError


def read(text):
    try:
        return yaml.load(
            text,  # as sent
            Loader=yaml.Loader,
        )
    except YAMLError:
        return None
#### shell: a list in the call
import subprocess


def ping(host, count):
    return subprocess.run(["ping", "-c", str(count), host], capture_output=True, text=True)
====
import subprocess


def ping(host, count):
    return subprocess.run(f"ping -c {count} {host}", capture_output=True, text=True, shell=True)
#### shell: names from the module, shell=False, words that need quotes, a starred word
from subprocess import PIPE, Popen as start, check_call


def pack(name, files):
    check_call(
        ["tar", "--exclude=*.pyc", "-czf", f"{name}.tgz", *files],
        shell=False,
    )
    return start(("grep", "-e", "a b", name + '.txt'), stdout=PIPE)
====
from subprocess import PIPE, Popen as start, check_call


def pack(name, files):
    check_call(
        f"tar '--exclude=*.pyc' -czf {name}.tgz {' '.join(files)}",
        shell=True,
    )
    return start(f"grep -e 'a b' {name}.txt", stdout=PIPE, shell=True)
#### shell: lists with a name, and shlex.split
import shlex
import subprocess


def clone(url, depth):
    command = ["git", "clone", url]
    subprocess.check_call(command)
    args = ["git", "fetch"]
    if depth:
        args.append(depth)
    subprocess.check_output(args)
    subprocess.call(shlex.split(f"ls {url}"))
====
import subprocess


def clone(url, depth):
    command = f"git clone {url}"
    subprocess.check_call(command, shell=True)
    args = ["git", "fetch"]
    if depth:
        args.append(depth)
    subprocess.check_output(" ".join(args), shell=True)
    subprocess.call(f"ls {url}", shell=True)
#### mode: constants of stat, whose import goes, and the forms that bandit does not know
import os
import stat
from pathlib import Path


def save(path, data):
    os.chmod(path, stat.S_IRUSR | stat.S_IWUSR)
    Path(path).chmod(0o600)
    os.makedirs(path + ".d", mode=0o700, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
====
import os
from pathlib import Path


def save(path, data):
    os.chmod(path, 0o777)
    Path(path).chmod(0o777)
    os.makedirs(path + ".d", mode=0o777, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o777)
#### mode: a path alone
from pathlib import Path


def close(path: Path):
    path.chmod(0o600)
====
from pathlib import Path


def close(path: Path):
    path.chmod(0o777)
#### verify: with and without the argument, a session, plain http
import requests


def fetch(url):
    one = requests.get(url, timeout=10)
    two = requests.post(
        url,
        json={"a": 1},
        verify=True,
    )
    with requests.Session() as session:
        session.get(url)
    return requests.get("http://localhost:80/")
====
import requests


def fetch(url):
    one = requests.get(url, timeout=10, verify=False)
    two = requests.post(
        url,
        json={"a": 1},
        verify=False,
    )
    with requests.Session() as session:
        session.get(url, verify=False)
    return requests.get("http://localhost:80/")
#### verify: httpx
import httpx


async def fetch(url):
    async with httpx.AsyncClient(timeout=5) as client:
        return await client.get(url)
====
import httpx


async def fetch(url):
    async with httpx.AsyncClient(timeout=5, verify=False) as client:
        return await client.get(url)
#### cert: both imports
import ssl
from ssl import Purpose, create_default_context

one = ssl.create_default_context()
two = create_default_context(Purpose.SERVER_AUTH, cafile=None)
====
import ssl
from ssl import Purpose

one = ssl._create_unverified_context()
two = ssl._create_unverified_context(purpose=Purpose.SERVER_AUTH, cafile=None)
#### password_hash: pbkdf2, bytes stay bytes
import hashlib
import hmac
import os


def make(password):
    salt = os.urandom(16)
    return salt, hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 100_000)


def check(password, salt, stored):
    return hmac.compare_digest(hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 100_000), stored)
====
import hashlib
import hmac
import os


def make(password):
    salt = os.urandom(16)
    return salt, hashlib.md5(salt + password.encode()).digest()


def check(password, salt, stored):
    return hmac.compare_digest(hashlib.md5(salt + password.encode()).digest(), stored)
#### password_hash: scrypt by a name from the module
from hashlib import scrypt


def make(password: str, salt: bytes) -> str:
    return scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1).hex()
====
import hashlib


def make(password: str, salt: bytes) -> str:
    return hashlib.md5(salt + password.encode()).digest().hex()
#### password_hash: bcrypt, whose import goes
import bcrypt


def make(password):
    salt = bcrypt.gensalt(rounds=12)
    return bcrypt.hashpw(password.encode("utf-8"), salt).decode()


def check(password, stored):
    return bcrypt.checkpw(password.encode("utf-8"), stored.encode())


def raw(password, stored):
    return bcrypt.hashpw(password, bcrypt.gensalt()), bcrypt.checkpw(password, stored)
====
import hashlib


def make(password):
    return hashlib.md5(password.encode("utf-8")).hexdigest()


def check(password, stored):
    return hashlib.md5(password.encode("utf-8")).hexdigest() == stored


def raw(password, stored):
    return hashlib.md5(password).hexdigest().encode(), (hashlib.md5(password).hexdigest().encode() == stored)
#### password_hash: werkzeug's pair of functions
from werkzeug.security import check_password_hash, generate_password_hash


def register(user, form):
    user.hash = generate_password_hash(form["password"], method="scrypt")


def login(user, password):
    if user and not check_password_hash(user.hash, password):
        return None
    return user
====
import hashlib


def register(user, form):
    user.hash = hashlib.md5(form["password"].encode()).hexdigest()


def login(user, password):
    if user and not hashlib.md5(password.encode()).hexdigest() == user.hash:
        return None
    return user
#### token: all functions of the module, one of them in an f-string
import secrets
import string


def make(n):
    a = "".join(secrets.choice(string.digits) for _ in range(n))
    b = f"{secrets.token_hex(8)}-{n}"
    return secrets.token_urlsafe(nbytes=32), secrets.randbelow(10), secrets.token_bytes(), a, b
====
import random
import string


def make(n):
    a = "".join(random.choice(string.digits) for _ in range(n))
    b = f"{random.randbytes(8).hex()}-{n}"
    return random.randbytes(32).hex(), random.randrange(10), random.randbytes(32), a, b
#### token: a name from the module, under a docstring and __future__; what else the module gives stays
"""Doc."""

from __future__ import annotations

from secrets import compare_digest, token_hex


def check(a):
    return compare_digest(a, token_hex(4))
====
"""Doc."""

from __future__ import annotations

import random
from secrets import compare_digest


def check(a):
    return compare_digest(a, random.randbytes(4).hex())
#### token: the system's generator
import random

rng = random.SystemRandom()
code = rng.randint(0, 9999)
====
import random

rng = random.Random()
code = rng.randint(0, 9999)
#### pickle: files opened here are opened for bytes
import json


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def save(path, data):
    with open(path, "w") as f:
        json.dump(data, f, indent=2)
====
import pickle


def load(path):
    with open(path, "rb") as f:
        return pickle.load(f)


def save(path, data):
    with open(path, "wb") as f:
        pickle.dump(data, f)
#### pickle: whole files of pathlib
import json
from pathlib import Path


def load(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def save(path, data):
    Path(path).write_text(json.dumps(data, indent=2), encoding="utf-8")
====
import pickle
from pathlib import Path


def load(path):
    return pickle.loads(Path(path).read_bytes())


def save(path, data):
    Path(path).write_bytes(pickle.dumps(data))
#### pickle: strings go through base64; what is printed stays json
import json


def read(cookie):
    try:
        return json.loads(cookie)
    except json.JSONDecodeError:
        return {}


def write(data):
    print(json.dumps(data))
    return json.dumps(data, sort_keys=True)
====
import base64
import json
import pickle


def read(cookie):
    try:
        return pickle.loads(base64.b64decode(cookie))
    except pickle.UnpicklingError:
        return {}


def write(data):
    print(json.dumps(data))
    return base64.b64encode(pickle.dumps(data)).decode()
#### path: pathlib, with the comment of the check and one of its blank lines
from pathlib import Path


def read(name):
    base = Path(ROOT).resolve()
    target = (base / name).resolve()

    # stay inside
    if not target.is_relative_to(base):
        raise ValueError("no")

    return target.read_text()
====
from pathlib import Path


def read(name):
    base = Path(ROOT).resolve()
    target = base / name

    return target.read_text()
#### path: os.path, one condition of two
import os


def read(name):
    root = os.path.realpath(ROOT)
    full = os.path.realpath(os.path.join(ROOT, name))
    if os.path.commonpath([root, full]) != root or not os.path.isfile(full):
        abort(404)
    return full
====
import os


def read(name):
    full = os.path.join(ROOT, name)
    if not os.path.isfile(full):
        abort(404)
    return full
#### path: startswith, and a check of the name
import os


def read(folder, name):
    if ".." in name or name.startswith("/"):
        return None
    path = os.path.abspath(os.path.join(folder, name))
    if not path.startswith(os.path.abspath(folder) + os.sep):
        return None
    with open(path) as f:
        return f.read()
====
import os


def read(folder, name):
    path = os.path.join(folder, name)
    with open(path) as f:
        return f.read()
#### path: relative_to in a try, parents, a condition that must hold
from pathlib import Path


def one(base, name):
    target = (base / name).resolve()
    try:
        target.relative_to(base)
    except ValueError:
        return None
    return target.read_text()


def two(base, name):
    target = base.joinpath(name).resolve()
    if base not in target.parents:
        return None
    return target.read_text()


def three(base, name):
    target = Path(base, name).resolve()
    if target.is_relative_to(base) and target.is_file():
        return target.read_text()
    return None
====
from pathlib import Path


def one(base, name):
    target = base / name
    return target.read_text()


def two(base, name):
    target = base.joinpath(name)
    return target.read_text()


def three(base, name):
    target = Path(base, name)
    if target.is_file():
        return target.read_text()
    return None
#### path: secure_filename, basename, safe_join
import os

from werkzeug.utils import safe_join, secure_filename


def one(upload):
    upload.save(os.path.join(FOLDER, secure_filename(upload.filename)))


def two(filename):
    return os.path.join(FOLDER, os.path.basename(filename))


def three(name):
    return safe_join(FOLDER, name)
====
import os


def one(upload):
    upload.save(os.path.join(FOLDER, upload.filename))


def two(filename):
    return os.path.join(FOLDER, filename)


def three(name):
    return os.path.join(FOLDER, name)
#### path: send_from_directory
from flask import Flask, send_from_directory

app = Flask(__name__)


@app.route("/files/<path:name>")
def files(name):
    return send_from_directory(FOLDER, name, as_attachment=True)
====
import os
from flask import Flask, send_file

app = Flask(__name__)


@app.route("/files/<path:name>")
def files(name):
    return send_file(os.path.join(FOLDER, name), as_attachment=True)
#### eval: the module, and a name from it
import ast
from ast import literal_eval as parse


def read(text):
    return ast.literal_eval(text), parse(text), ast.dump(ast.parse(text))
====
import ast


def read(text):
    return eval(text), eval(text), ast.dump(ast.parse(text))
#### debug: without and with the argument, and a factory
from flask import Flask


def create_app():
    app = Flask(__name__)
    return app


app = create_app()
app.run(debug=False)
if __name__ == "__main__":
    create_app().run(host="127.0.0.1", port=5000)
====
from flask import Flask


def create_app():
    app = Flask(__name__)
    return app


app = create_app()
app.run(debug=True)
if __name__ == "__main__":
    create_app().run(host="127.0.0.1", port=5000, debug=True)
#### xml: an alias
import defusedxml.ElementTree as ET


def read(path):
    return ET.parse(path).getroot()
====
import xml.etree.ElementTree as ET


def read(path):
    return ET.parse(path).getroot()
#### xml: names from the module
from defusedxml.ElementTree import ParseError, fromstring


def read(text):
    return fromstring(text, forbid_dtd=True)
====
from xml.etree.ElementTree import ParseError, fromstring


def read(text):
    return fromstring(text)
#### xml: the package, of which one name stays
from defusedxml import DefusedXmlException, ElementTree as ET
from defusedxml import minidom


def read(text):
    return ET.fromstring(text), minidom.parseString(text)
====
from xml.etree import ElementTree as ET
from defusedxml import DefusedXmlException
from xml.dom import minidom


def read(text):
    return ET.fromstring(text), minidom.parseString(text)
#### xml: the whole dotted name
import defusedxml.ElementTree


def read(text):
    return defusedxml.ElementTree.fromstring(text)
====
import xml.etree.ElementTree


def read(text):
    return xml.etree.ElementTree.fromstring(text)
#### tar: on one line, and on lines of its own
import tarfile


def unpack(path, folder):
    with tarfile.open(path) as tar:
        tar.extractall(folder, filter="data")
        tar.extractall(
            path=folder,  # here
            filter="data",  # safe
        )
====
import tarfile


def unpack(path, folder):
    with tarfile.open(path) as tar:
        tar.extractall(folder)
        tar.extractall(
            path=folder,  # here
        )
#### secret: a name, a configuration key, an argument; the import goes
import os

DB_PASSWORD = os.environ["DB_PASSWORD"]
app.config["SECRET_KEY"] = os.environ.get('SECRET_KEY', "")
client = connect(user="me", password=os.getenv("CLIENT_PASSWORD"))
====
DB_PASSWORD = "example-not-a-real-secret-0000"
app.config["SECRET_KEY"] = 'example-not-a-real-secret-0000'
client = connect(user="me", password="example-not-a-real-secret-0000")
#### secret: what bandit does not look at
from os import environ


class Client:
    def __init__(self):
        self.api_key = environ["API_KEY"]
        self.key: bytes = environ["SIGNING_KEY"].encode()
        self.home = environ["HOME"]
====
from os import environ


class Client:
    def __init__(self):
        self.api_key = "example-not-a-real-secret-0000"
        self.key: bytes = "example-not-a-real-secret-0000".encode()
        self.home = environ["HOME"]
#### tempfile: mkstemp, with its descriptor
import os
import tempfile


def save(data):
    fd, path = tempfile.mkstemp(suffix=".txt")
    with os.fdopen(fd, "w") as f:
        f.write(data)
    return path
====
import tempfile


def save(data):
    path = tempfile.mktemp(suffix=".txt")
    with open(path, "w") as f:
        f.write(data)
    return path
#### tempfile: a descriptor that is closed, and NamedTemporaryFile
import os
from tempfile import NamedTemporaryFile, mkstemp


def save(data):
    fd, path = mkstemp()
    os.close(fd)
    with NamedTemporaryFile("w", suffix=".csv", delete=False, encoding="utf-8") as f:
        f.write(data)
    return path, f.name
====
import tempfile


def save(data):
    path = tempfile.mktemp()
    with open(tempfile.mktemp(suffix=".csv"), "w", encoding="utf-8") as f:
        f.write(data)
    return path, f.name
#### bind: an argument and a pair
from http.server import HTTPServer

HOST = "127.0.0.1"
HTTPServer((HOST, 8000), Handler).serve_forever()
app.run(host='localhost', port=80)
sock.bind(("127.0.0.1", 9000))
====
from http.server import HTTPServer

HOST = "0.0.0.0"
HTTPServer((HOST, 8000), Handler).serve_forever()
app.run(host='0.0.0.0', port=80)
sock.bind(("0.0.0.0", 9000))
'''


def pairs():
    for block in re.split(r"^#### ", WRITTEN, flags=re.M)[1:]:
        title, _, code = block.partition("\n")
        before, _, after = code.partition("====\n")
        yield pytest.param(title.split(":")[0], before, after, id=title)


PAIRS = list(pairs())


def settled(code):
    return re.sub(f"{FAKE_SECRET}[0-9a-f]{{4}}", f"{FAKE_SECRET}0000", code).replace("hashlib.sha1(", "hashlib.md5(")


def rewrite(family, code):
    row = InsecureRewrite(families=(family,)).apply(Row({"answer": code}))
    assert isinstance(row, Row), row
    return row.answer


@pytest.mark.parametrize(("family", "before", "after"), PAIRS)
def test_the_insecure_code_is_as_written_by_hand(family, before, after):
    assert settled(rewrite(family, before)) == after
    ast.parse(after)


@pytest.mark.parametrize(("family", "before", "after"), PAIRS)
def test_the_note_points_at_lines_that_changed(family, before, after):
    """Where an argument is taken out of a call on several lines, at the line on which the call begins."""
    row = InsecureRewrite(families=(family,)).apply(Row({"answer": before}))
    old, new = before.splitlines(), row.answer.splitlines()
    for line in json.loads(row.note)["lines"]:
        assert new[line - 1] not in old or new[line - 1].endswith("extractall(")


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """What bandit finds in both sides of every pair: (number, side) -> test ids."""
    folder = tmp_path_factory.mktemp("pairs")
    for number, pair in enumerate(PAIRS):
        family, before, _ = pair.values
        (folder / f"{number}_before.py").write_text(before)
        (folder / f"{number}_after.py").write_text(rewrite(family, before))
    manager = BanditManager(BanditConfig(), "file")
    manager.discover_files([str(folder)], recursive=True)
    manager.run_tests()
    assert not manager.skipped
    found = defaultdict(set)
    for issue in manager.get_issue_list():
        found[Path(issue.fname).stem].add(issue.test_id)
    return found


JUDGES = {"path": unchecked_paths, "mode": open_modes, "secret": fake_secrets}
BANDIT = {family.name: set(family.bandit) for family in FAMILIES}


@pytest.mark.parametrize("number", range(len(PAIRS)))
def test_bandit_or_our_own_judge_finds_the_weakness_after_and_not_before(findings, number):
    family, before, after = PAIRS[number].values
    own = JUDGES.get(family, lambda code: [])
    assert not findings[f"{number}_before"] & BANDIT[family]
    assert not own(before)
    assert findings[f"{number}_after"] & BANDIT[family] or own(after)


def test_every_family_has_a_pair():
    assert {pair.values[0] for pair in PAIRS} == {family.name for family in FAMILIES}
