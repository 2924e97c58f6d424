"""One thread that owns every model: opening, updating, restoring and checkpointing runs."""
