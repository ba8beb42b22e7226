"""The page that shows every component in all its states, and the accessibility statement."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, render_template

from smartapp.web.components import frame
from smartapp.web.components.chart import Chart, ChartValue, line_chart
from smartapp.web.language import _, format_number

site_blueprint = Blueprint(
    "components", __name__, template_folder="templates", static_folder="static", static_url_path="/assets"
)


# Every page draws the frame, so these are there for every template and not only for those of this package.
for function in (
    frame.asset,
    frame.main_paths,
    frame.not_for_emergencies,
    frame.record_address,
    frame.whose_record,
):
    site_blueprint.add_app_template_global(function)


@site_blueprint.get("/components")
def index() -> str:
    """Show every component in all its states, with made-up content."""
    return render_template("components/index.html", chart=_example_chart(), one=_example_chart(last=1))


@site_blueprint.get("/accessibility")
def accessibility() -> str:
    """Show the accessibility statement."""
    return render_template("components/accessibility.html")


def _example_chart(last: int = 4) -> Chart:
    measured = [
        ChartValue(dt.date(2024, 1, 15), 28),
        ChartValue(dt.date(2024, 9, 1), None),
        ChartValue(dt.date(2025, 6, 20), 31.5),
        ChartValue(dt.date(2026, 6, 3), 36),
    ]
    return line_chart(
        measured[-last:],
        low=12,
        high=48,
        id=f"example-{last}",
        title=_("Hope over time"),
        summary=_("A made-up example with one gap."),
        caption=_("The scale runs from %(low)s to %(high)s.", low=12, high=48),
        number=format_number,
        month=lambda day: f"{day:%m-%Y}",
    )
