"""The audit trail after it is written: sealed into a chain, checked against signed checkpoints, and asked by people."""
