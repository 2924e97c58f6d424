"""Constants generated from packages/domain."""
