"""Charts: of a run, of what several seeds did, and of images; each takes `ax=None` and returns the Axes."""
