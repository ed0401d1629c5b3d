"""Readers of hospital feeds and the mappings that say which element is read, and how protected."""
