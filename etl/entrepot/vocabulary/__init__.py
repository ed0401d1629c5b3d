"""The standardised vocabularies: loaded once, then used to turn source codes into concepts."""
