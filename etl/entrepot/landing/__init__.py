"""Landing: what the hospital sent, as it sent it, encrypted and counted once.

`ingest` walks files (`containers`), cuts them into records (`hl7v2_split`), appends their
ciphertext to segments (`segments`) and enters them in the ledger (`ledger`) of the identifying
zone's database (`database`).
"""
