"""Reader of HL7 version 2 messages in their vertical-bar encoding: lazy, strict, exact."""
