"""Human review of what the text engine let out: a sample, two readers, recall with exact bounds."""

from entrepot.review.forgetting import forget_missing
from entrepot.review.results import ReviewResult, results

__all__ = ["ReviewResult", "forget_missing", "results"]
