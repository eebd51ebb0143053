"""The experiments behind the course's claims, over several seeds: `make study` runs them."""
