"""Gemini behind the OpenAI API, on your own Google Cloud."""

__version__ = "0.1.0"
