"""Arrays in files of the cache: rows that are read as they are needed, and never half-written."""
