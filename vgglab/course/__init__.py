"""The lessons as files: where they are, a copy of one's own, and all of them run without a person."""
