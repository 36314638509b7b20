"""What the text of a failure shows about its kind: the patterns that tell failures of Temporal and its SDKs apart."""

from __future__ import annotations

import enum
import re


class FailureKind(enum.Enum):
    """Kinds of failures that need different advice; a text may show several. Each has the pattern of its texts."""

    NONDETERMINISM = r"\[TMPRL1100\]"
    DEADLOCK = r"\[TMPRL1101\]"
    TOO_LARGE = r"(?i:\[TMPRL1103\]|exceed\w* size limit|message larger than max)"
    NOT_REGISTERED = (
        r"(?i:is not registered on this worker|unable to find (?:workflow|activity) ?type"
        r"|no such export|(?:workflow|activity) type \S+ is not registered|is not registered with a worker)"
    )
    CONVERTER = r"\bFailed (?:decoding arguments|encoding completion)|payload_codec\.|\bdecode_activation\b"
    DECODING = r"\bFailed decoding arguments"
    UNSERIALIZABLE = r"Object of type (\S+) is not JSON serializable"
    UNDECLARED_ATTRIBUTE = r"no mapping defined for search attribute (\S+)"

    def found_in(self, text: str) -> re.Match[str] | None:
        """Where a text shows this kind; None if it does not."""
        return re.search(self.value, text)
