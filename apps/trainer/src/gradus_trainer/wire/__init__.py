"""What crosses the border: JSON, Arrow and their validation."""
