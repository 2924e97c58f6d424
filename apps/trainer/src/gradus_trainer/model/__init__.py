"""A small decoder of the Llama, Qwen2 and Qwen3 families."""
