"""The tools and the structured answer that the Python programs ask for."""

from pydantic import BaseModel, Field


class Guest(BaseModel):
    name: str
    age: int | None


class Trip(BaseModel):
    """A trip that somebody makes."""

    city: str = Field(description="Where to")
    nights: int = Field(ge=1)
    guests: list[Guest]


def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return {"Oslo": "rain", "Rome": "dry"}[city]


def book(city: str, nights: int) -> str:
    """Book a hotel."""
    return f'{{"booked": "{city}", "nights": {nights}}}'


def today() -> str:
    """Tell the date."""
    return "2026-11-22"


TOOLS = {"get_weather": get_weather, "book": book, "today": today}
#: The tools, for the programs that declare them by themselves.
DECLARED = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Tell the weather in a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "book",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "nights": {"type": "integer"}},
                "required": ["city", "nights"],
                "additionalProperties": False,
            },
            "strict": True,
        },
    },
    {"type": "function", "function": {"name": "today", "description": "Tell the date."}},
]
