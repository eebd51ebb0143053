"""The engine room: networks and who may use them, their traced functions, what they are fed with, and the cache."""
