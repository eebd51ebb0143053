"""What a run is handed on as: a card to read, a script to run."""
