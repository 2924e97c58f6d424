"""The trainer service of Gradus: exactly-once updates and embedded generation of one or more policies over HTTP.

Legend of shape suffixes, used in every file: B sequences (rows), T tokens of a padded row, N trained tokens of a
micro-batch (flat), V vocabulary, H hidden size, Q query heads, K key/value heads, D head size, S steps of a sampler.
Log-probabilities are in nats, times in seconds, sizes in bytes.
"""

__version__ = "0.1.0"
