"""The app as servers of other makes want it: `benchmarks.wsgi:app`, with its settings from the environment."""

from smartapp import create_app
from smartapp.settings import Settings

app = create_app(Settings.from_env())
