"""What spans, traced outputs and builds show in a notebook."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from provkit import manifest
from provkit.attribution.model import Options
from provkit.attribution.outputs import Output
from provkit.attribution.trace import trace_outputs
from provkit.index import Spans, open_index
from provkit.markup import SHADES

TEXT = "They say <b>: Helmets are for cowards, just go and rest"


def test_spans_stand_within_their_output(chain: Any, parsed: Callable[[str], Any]) -> None:
    spans = open_index(chain.index).spans(TEXT, 3)
    assert spans == open_index(chain.index).spans_many([TEXT], 3)[0] and isinstance(spans, Spans)
    assert pickle.loads(pickle.dumps(spans)).text == TEXT
    html = spans._repr_html_()
    assert "They say &lt;b&gt;: <mark" in html and "Helmets are for cowards, just go and</mark> rest" in html
    assert SHADES[4] in html, "what stands once has the highest level"
    assert "8 tokens, 1 times in the corpus" in html
    assert '<td style="text-align:right">8</td>' in html


def test_a_traced_output_names_its_documents(chain: Any) -> None:
    (one,) = trace_outputs(open_index(chain.index), [Output("<o>", "f", None, TEXT)], Options(min_tokens=3))
    html = one._repr_html_()
    assert "<p>&lt;o&gt;</p>" in html and one.documents[0].doc_id in html and "</mark> rest" in html


def test_a_build_shows_its_rows_and_steps(bench: Any) -> None:
    bench.rows([{"prompt": f"p{i % 8}", "answer": "a"} for i in range(10)])
    built = bench.built(steps=[{"dedup": {"by": "prompt"}}])
    for html in (built._repr_html_(), manifest.read(built.path)._repr_html_()):
        cells = html.replace("</td>", "\n").replace("</th>", "\n").replace("</p>", "\n")
        text = [line.split(">")[-1] for line in cells.splitlines()]
        assert built.build_id in html
        at = text.index("dedup")
        assert text[at : at + 5] == ["dedup", "10", "0", "8", "2"]
        assert "train" in text
