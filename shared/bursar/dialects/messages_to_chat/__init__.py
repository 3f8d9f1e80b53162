"""A caller who speaks Anthropic's Messages, and a provider who speaks OpenAI's chat."""

from bursar.dialects.messages_to_chat.translator import MessagesToChat

__all__ = ["MessagesToChat"]
