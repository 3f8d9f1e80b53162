"""The caller speaks Responses, the provider only chat: a stateless translation of both ways.

`fields` says what becomes of each field of a request, `reasoning` how a model's reasoning comes
back to it although nothing is stored.
"""

from bursar.dialects.responses_to_chat.translator import ResponsesToChat

__all__ = ["ResponsesToChat"]
