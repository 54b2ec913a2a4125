"""The gate's rules as Great Expectations suites: verdict, counts, and the Data Docs page. Nothing else imports it.

Analytics and progress bars are off; the context is in memory and lives for one import. The page gets its styles inline
and no scripts, so that reading the evidence calls nobody outside. It holds counts only: the values are in the findings.
"""

import gc
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import great_expectations as gx
import polars as pl
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.expectations.core.expect_column_pair_values_a_to_be_greater_than_b import (
    ExpectColumnPairValuesAToBeGreaterThanB,
)
from great_expectations.expectations.core.expect_column_values_to_be_between import ExpectColumnValuesToBeBetween
from great_expectations.expectations.core.expect_column_values_to_be_in_set import ExpectColumnValuesToBeInSet
from great_expectations.expectations.core.expect_column_values_to_not_be_null import ExpectColumnValuesToNotBeNull
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView
from pydantic.v1 import PrivateAttr

from maatpak.kernel.words import Severity
from tasks.quality.checks import AtMost, Holds, Listed, NotAbove, Present, Rule

_COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0}
_SEVERITIES = {
    Severity.REJECT: FailureSeverity.CRITICAL,
    Severity.QUARANTINE: FailureSeverity.WARNING,
    Severity.WARN: FailureSeverity.INFO,
}
_LARGE = 5_000_000
"""Cells whose memory is worth a look at the whole heap, which takes longer than the gate of a small ledger."""
_STYLE = """<style>
body{font:15px/1.5 system-ui,sans-serif;margin:2rem;color:#222} table{border-collapse:collapse;margin:.5rem 0 1.5rem}
td,th{border:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top} nav img,footer,.modal{display:none}
.badge{background:#eee;padding:0 .3rem;border-radius:.2rem}
</style>"""


@dataclass(frozen=True)
class Judgement:
    """What Great Expectations says of one rule."""

    success: bool
    count: int


class _CountsOnly:
    """What Great Expectations needs not do of an expectation of ours.

    It asks for the configuration some ninety times while it validates; and the values, of which nothing is told, it
    would look for once more than for their count.
    """

    _known: Any

    @property
    def configuration(self) -> Any:
        """Worked out once."""
        if self._known is None:
            self._known = super().configuration  # type: ignore[misc]
        return self._known

    def get_validation_dependencies(self, *args: Any, **kwargs: Any) -> Any:
        """Counts, without values."""
        needed = super().get_validation_dependencies(*args, **kwargs)  # type: ignore[misc]
        needed.remove_metric_configuration(f"{self.map_metric}.unexpected_values")  # type: ignore[attr-defined]
        return needed


class ExpectMeasureToBePresent(_CountsOnly, ExpectColumnValuesToNotBeNull):
    """A measure that no row may lack."""

    _known: Any = PrivateAttr(None)


class ExpectMeasureToBeListed(_CountsOnly, ExpectColumnValuesToBeInSet):
    """A measure that must be one of a list."""

    _known: Any = PrivateAttr(None)


class ExpectMeasureToBeWithin(_CountsOnly, ExpectColumnValuesToBeBetween):
    """A measure with a bound."""

    _known: Any = PrivateAttr(None)


class ExpectMeasureNotToBeAbove(_CountsOnly, ExpectColumnPairValuesAToBeGreaterThanB):
    """A measure that another one bounds."""

    _known: Any = PrivateAttr(None)


@cache
def _page_view() -> DefaultJinjaPageView:
    """It keeps the templates that it compiled."""
    return DefaultJinjaPageView()


class Judge:
    """One import's suites, run a table at a time, and the page of all their results."""

    def __init__(self) -> None:
        self._context = gx.get_context(mode="ephemeral", project_config=_nothing_on_disk())
        source = self._context.data_sources.add_pandas("ledger")
        asset = source.add_dataframe_asset("measures")
        self._batches = asset.add_batch_definition_whole_dataframe("whole")
        self._source = source
        self._results: list[Any] = []
        self._cells = 0

    def judge(self, table: str, measures: pl.DataFrame, rules: Sequence[Rule]) -> dict[str, Judgement]:
        """Validate the suite of a table against the measures of its rules."""
        suite = gx.ExpectationSuite(name=table, expectations=[_expectation(rule) for rule in rules])
        names = {column: _named(column, rules) for column in measures.columns}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            batch = self._batches.get_batch({"dataframe": measures.rename(names).to_pandas()})
            results = batch.validate(suite, result_format=_COUNTS).results
        self._results += results
        self._cells += measures.height * measures.width
        return {_told(result, "rule"): _judgement(result) for result in results}

    def page(self) -> bytes:
        """The Data Docs page of everything judged so far."""
        ordered = sorted(self._results, key=lambda result: _told(result, "order"))
        passed = sum(bool(result.success) for result in ordered)
        whole = ExpectationSuiteValidationResult(
            success=passed == len(ordered),
            results=ordered,
            suite_name="ledger gate",
            statistics={
                "evaluated_expectations": len(ordered),
                "successful_expectations": passed,
                "unsuccessful_expectations": len(ordered) - passed,
                "success_percent": 100.0 * passed / len(ordered) if ordered else 100.0,
            },
            meta={"great_expectations_version": gx.__version__},
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            content = ValidationResultsPageRenderer().render(whole)
            html: str = _page_view().render(content)  # type: ignore[no-untyped-call]
        return _without_calls_outside(html).encode()

    def close(self) -> None:
        """Let go of every frame that was judged."""
        self._results.clear()
        self._context.data_sources.delete(self._source.name)
        if self._cells > _LARGE:
            gc.collect()


def _nothing_on_disk() -> DataContextConfig:
    """Without this, every context leaves a temporary folder behind."""
    return DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
    )


def _name(rule: Rule) -> str:
    return f"{rule.severity}: {rule.table} {rule.key}"


def _named(column: str, rules: Sequence[Rule]) -> str:
    """A measure's column as it is headed on the page: by severity and table."""
    rule = next(rule for rule in rules if column in rule.check.measures(rule.key))
    return _name(rule) + column.removeprefix(rule.key)


def _meta(rule: Rule) -> dict[str, str]:
    rank = list(Severity).index(rule.severity)
    return {"rule": rule.key, "order": f"{rank} {rule.table} {rule.key}"}


def _told(result: Any, what: str) -> str:
    return str(result.expectation_config.meta[what])


def _expectation(rule: Rule) -> Any:
    name = _name(rule)
    told: dict[str, Any] = {"meta": _meta(rule), "notes": rule.meaning, "severity": _SEVERITIES[rule.severity]}
    match rule.check:
        case Present():
            return ExpectMeasureToBePresent(column=name, **told)
        case Holds():
            return ExpectMeasureToBeListed(column=name, value_set=[True], **told)
        case AtMost(limit=limit):
            return ExpectMeasureToBeWithin(column=name, max_value=limit, **told)
        case Listed(words=words):
            return ExpectMeasureToBeListed(column=name, value_set=list(words), **told)
        case NotAbove():
            return ExpectMeasureNotToBeAbove(
                column_A=f"{name}: upper",
                column_B=f"{name}: lower",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
                **told,
            )


def _judgement(result: Any) -> Judgement:
    if result.exception_info and result.exception_info.get("raised_exception"):
        raise RuntimeError(f"Great Expectations could not judge: {result.exception_info}")
    return Judgement(bool(result.success), int(result.result["unexpected_count"]))


def _without_calls_outside(html: str) -> str:
    for pattern in (r"<script\b.*?</script>", r"<link\b[^>]*>", r"<img\b[^>]*>", r"<footer\b.*?</footer>"):
        html = re.sub(pattern, "", html, flags=re.DOTALL | re.IGNORECASE)
    html = re.sub(r"url\(['\"]?https?:[^)]*\)", "none", html)
    html = re.sub(r"(href|src)=\"[^#\"][^\"]*\"", r'\1="#"', html)
    return html.replace("</head>", f"{_STYLE}</head>", 1)
