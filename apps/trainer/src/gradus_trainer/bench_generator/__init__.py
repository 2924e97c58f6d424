"""Measures the generator alone, in this process: no HTTP, random weights."""
