"""From OpenAI's embeddings to Cohere Embed's on Bedrock.

Source of the format: Amazon Bedrock's user guide, "Cohere Embed and Cohere Embed v4 models".
"""

from __future__ import annotations

from typing import Any

from bursar.dialects.embeddings_to_bedrock.inputs import Embeddings

# Cohere wants to be told; what is embedded most is what is searched.
_INPUT_TYPE = "search_document"


class EmbeddingsToCohere(Embeddings):
    """One request's translator."""

    extra_fields = ("input_type", "truncate", "max_tokens")

    def request(self, document: dict[str, Any]) -> dict[str, Any]:
        """The model's request; its name is in the URL.

        Raises:
            Untranslatable: an input that is no text; a field it does not know.
        """
        body = {"texts": self.texts_of(document), "input_type": _INPUT_TYPE}
        body |= {
            name: document[name] for name in self.extra_fields if document.get(name) is not None
        }
        if document.get("dimensions") is not None:
            body["output_dimension"] = document["dimensions"]
        return body

    def answer(self, document: dict[str, Any]) -> dict[str, Any]:
        embeddings = document["embeddings"]
        return self.told(embeddings["float"] if isinstance(embeddings, dict) else embeddings)
