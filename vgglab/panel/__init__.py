"""Widgets: they build an experiment, train it in the background and show its history; and they ask before it."""

from vgglab.panel.dashboard import Dashboard
from vgglab.panel.prediction import GuessChoice, GuessNumber

__all__ = ["Dashboard", "GuessChoice", "GuessNumber"]
