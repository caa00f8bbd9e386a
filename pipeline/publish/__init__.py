"""Publication: the ledger and its day files, the report, and what is read back (`status`, `query`)."""
