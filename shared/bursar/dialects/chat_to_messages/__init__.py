"""Callers of chat completions and providers of Anthropic's Messages."""

from bursar.dialects.chat_to_messages.translator import ChatToMessages

__all__ = ["ChatToMessages"]
