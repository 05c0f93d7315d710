"""How the ledger's schema came about, by Alembic."""
