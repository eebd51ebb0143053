"""What is measured: accuracy, forgetting, cost, and how certain any of it is."""
