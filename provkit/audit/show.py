"""A report as a table, JSON, SARIF or Parquet; text from data is made safe in each."""

from __future__ import annotations

from itertools import groupby

import orjson

from provkit.audit.model import Finding, Report
from provkit.errors import plain

WIDE = 100


def written(report: Report, shape: str) -> bytes:
    """The report as bytes: table (UTF-8 text), json, sarif or parquet."""
    if shape == "json":
        return orjson.dumps(report.plain(), option=orjson.OPT_INDENT_2) + b"\n"
    if shape == "sarif":
        from provkit.audit.sarif import sarif

        return orjson.dumps(sarif(report), option=orjson.OPT_INDENT_2) + b"\n"
    if shape == "parquet":
        return _parquet(report)
    return text(report).encode()


def text(report: Report) -> str:
    """Findings grouped by rule, worst first, each with count, share, examples and what to do."""
    lines = []
    for rule, findings in groupby(report.findings, lambda one: one.rule):
        lines += [f"{rule.id} {rule.name} ({rule.severity})"]
        for one in findings:
            lines += _finding(one)
        lines += [f"  do: {rule.do}", ""]
    if report.measures:
        lines += ["measures (95 % interval)"]
        lines += [
            f"  {plain(one.subject, 120)}  {one.rule} {one.name}: {one.value:.3f} [{one.low:.3f}, {one.high:.3f}], "
            f"{one.rows:,} rows"
            for one in report.measures
        ] + [""]
    if not report.findings:
        lines += ["no findings", ""]
    return "\n".join(lines)


def _finding(one: Finding) -> list[str]:
    against = "" if one.against is None else f" against {plain(one.against, 200)}"
    lines = [f"  {plain(one.subject, 200)}{against}"]
    lines += [f"    {one.count:,} of {one.total:,} {one.unit} ({_share(one.share)}): {plain(one.said, 300)}"]
    for example in one.examples:
        shown = f"  {plain(example.text, WIDE)}" if example.text else ""
        lines += [f"    {plain(example.locator, 200)}{shown}"]
    return lines


def _share(share: float) -> str:
    return f"{100 * share:.3g} %" if share < 1 else "100 %"


def _parquet(report: Report) -> bytes:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("rule", "name", "severity", "subject", "against")),
            *((name, pa.int64()) for name in ("count", "total")),
            ("share", pa.float64()),
            *((name, pa.string()) for name in ("unit", "said")),
            ("examples", pa.list_(pa.struct([("locator", pa.string()), ("text", pa.string())]))),
            ("do", pa.string()),
        ]
    )
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([one.plain() for one in report.findings], schema), sink)
    return sink.getvalue()
