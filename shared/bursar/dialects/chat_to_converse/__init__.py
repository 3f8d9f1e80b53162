"""Callers of chat completions and Bedrock's Converse."""

from bursar.dialects.chat_to_converse.translator import ChatToConverse

__all__ = ["ChatToConverse"]
