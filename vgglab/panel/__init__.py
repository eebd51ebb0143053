"""Widgets: they build an experiment, train it in the background and show its history."""

from vgglab.panel.panel import Panel

__all__ = ["Panel"]
