"""The candidate becomes the release: DDL, canonical hashes, atomic rename."""
