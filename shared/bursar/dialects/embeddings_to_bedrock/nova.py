"""From OpenAI's embeddings to Amazon Nova's on Bedrock.

Source of the format: Amazon Nova's user guide, "Complete embeddings request and response schema".
"""

from __future__ import annotations

from typing import Any

from bursar.dialects.embeddings_to_bedrock.inputs import Embeddings

_PURPOSE = "GENERIC_INDEX"
# As with OpenAI, a text that is too long is refused rather than cut off.
_TRUNCATION = "NONE"


class EmbeddingsToNova(Embeddings):
    """One request's translator."""

    extra_fields = ("embedding_purpose", "truncation_mode")

    def request(self, document: dict[str, Any]) -> dict[str, Any]:
        """The model's request; its name is in the URL.

        Raises:
            Untranslatable: more than one input, or one that is no text; a field it does not know.
        """
        text = self.one_text_of(document)
        wanted: dict[str, Any] = {
            "embeddingPurpose": document.get("embedding_purpose") or _PURPOSE,
            "text": {
                "truncationMode": document.get("truncation_mode") or _TRUNCATION,
                "value": text,
            },
        }
        if document.get("dimensions") is not None:
            wanted["embeddingDimension"] = document["dimensions"]
        return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": wanted}

    def answer(self, document: dict[str, Any]) -> dict[str, Any]:
        tokens = document.get("inputTextTokenCount") or document.get("inputTokenCount") or 0
        return self.told([document["embeddings"][0]["embedding"]], tokens)
