"""Messages, cleaning, the ledger, sources, snapshots, splits, checks and the seed corpus."""
