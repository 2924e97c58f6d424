"""Batched generation on the live weights."""
