"""The engine of many GPUs: workers under torchrun hold sharded policies, the front keeps log and ledger."""
