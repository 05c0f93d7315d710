"""Decisions, batching, the BentoML service, auth, the decision log and health."""
