"""Continuous batching for a GPU: rows of many requests share one batch, and a row that ends makes room for the next."""
