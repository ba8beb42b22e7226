"""The page that shows every component in all its states, and the accessibility statement."""

from __future__ import annotations

import datetime as dt
import mimetypes
from typing import Final

from flask import Blueprint, Flask, Response, render_template, request

from smartapp.web import device, handing_over, reading, with_client
from smartapp.web.components import frame
from smartapp.web.components.chart import Chart, ChartValue, change_of, line_chart
from smartapp.web.language import _, format_number

site_blueprint = Blueprint(
    "components", __name__, template_folder="templates", static_folder="static", static_url_path="/assets"
)
_example_blueprint = Blueprint("examples", __name__)
YEAR: Final = "public, max-age=31536000, immutable"
mimetypes.add_type("font/woff2", ".woff2")  # Python learns it in 3.14, and many machines have no list of their own

# Every page draws the frame, so these are there for every template and not only for those of this package.
for function in (
    frame.asset,
    frame.chart_around,
    frame.head_of_sheets,
    frame.main_paths,
    frame.not_for_emergencies,
    frame.record_address,
    frame.stopped_here,
    frame.whose_record,
    frame.person_in_title,
    with_client.band,
    device.untouched_seconds,
    reading.reading,
    reading.reading_of_all,
    reading.readings_here,
    reading.says_after_sending,
    reading.says_reads,
):
    site_blueprint.add_app_template_global(function)
site_blueprint.add_app_template_global(handing_over.for_me, "waits_for_me")


@site_blueprint.after_request
def keep_assets(response: Response) -> Response:
    """Let browsers keep an asset for a year, where its address holds the digest of what is sent.

    While a new version is put into place, an old process may be asked for the new one: that answer must not be kept.
    """
    if request.endpoint == f"{site_blueprint.name}.static" and response.status_code in (200, 304):
        asked = request.args.get("v")
        if asked is not None and asked == frame.digest((request.view_args or {})["filename"]):
            response.headers["Cache-Control"] = YEAR
    return response


def init_examples(app: Flask) -> None:
    """Add the page with all components; it is for those who build pages, so the demo has it and production has not."""
    app.register_blueprint(_example_blueprint)


@_example_blueprint.get("/components")
def index() -> str:
    """Show every component in all its states, with made-up content."""
    changes = [
        change_of(values, low=12, high=48) for values in ([20, 26, 33], [36, 30], [28, None, 40], [28, 28], [31])
    ]
    return render_template("components/index.html", chart=_example_chart(), one=_example_chart(last=1), changes=changes)


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
