"""Widgets: they build an experiment, train it in the background and show its history."""

from vgglab.panel.dashboard import Dashboard

__all__ = ["Dashboard"]
