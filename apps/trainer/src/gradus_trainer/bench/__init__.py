"""Measures one part of the service on one device: tables for a reader, JSON for docs/benchmarks."""
