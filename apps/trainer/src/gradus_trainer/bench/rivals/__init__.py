"""What others do with the same shapes: each in a process of its own, where its packages are installed."""
