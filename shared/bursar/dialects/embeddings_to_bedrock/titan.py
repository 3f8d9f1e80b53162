"""From OpenAI's embeddings to Amazon Titan's on Bedrock.

Source of the format: Amazon Bedrock's user guide, "Amazon Titan Embeddings G1 - Text", which covers
version 2, and "Amazon Titan Multimodal Embeddings G1".
"""

from __future__ import annotations

from typing import Any

from bursar.dialects.embeddings_to_bedrock.inputs import Embeddings


class EmbeddingsToTitan(Embeddings):
    """One request's translator."""

    extra_fields = ("normalize",)

    def request(self, document: dict[str, Any]) -> dict[str, Any]:
        """The model's request; its name is in the URL.

        Raises:
            Untranslatable: more than one input, or one that is no text; a field it does not know.
        """
        body: dict[str, Any] = {"inputText": self.one_text_of(document)}
        dimensions, normalize = document.get("dimensions"), document.get("normalize")
        if dimensions is not None and "titan-embed-image" in self.upstream_model:
            body["embeddingConfig"] = {"outputEmbeddingLength": dimensions}
        elif dimensions is not None:
            body["dimensions"] = dimensions
        if normalize is not None:
            body["normalize"] = normalize
        return body

    def answer(self, document: dict[str, Any]) -> dict[str, Any]:
        return self.told([document["embedding"]], document.get("inputTextTokenCount") or 0)
