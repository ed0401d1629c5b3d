"""Kept while readers move."""

from entrepot.feeds.document import MAX_INTEGER_DIGITS, Attachment, Result

__all__ = ["MAX_INTEGER_DIGITS", "Attachment", "Result"]
