"""Per-token losses: pure functions, one a file."""
