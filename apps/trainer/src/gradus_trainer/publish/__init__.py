"""Bringing new weights to inference engines in vLLM's manner, and proving that they arrived."""
