"""Embeddings: one text each in the Developer API's form, and in Vertex AI's two."""

from service.schemas.gemini import Content, Count
from service.schemas.wire import Wire


class EmbedRequest(Wire):
    """What is asked for, before any upstream's form."""

    texts: list[str]
    task_type: str | None = None
    dimensions: int | None = None


class ContentToEmbed(Wire, omit_defaults=True, rename="camel"):
    """The Developer API's: each of its own content, or they would become one vector."""

    model: str
    content: Content
    task_type: str | None = None
    output_dimensionality: int | None = None


class BatchEmbedContents(Wire):
    requests: list[ContentToEmbed]


class EmbedContentConfig(Wire, omit_defaults=True, rename="camel"):
    task_type: str | None = None
    output_dimensionality: int | None = None


class EmbedContent(Wire, omit_defaults=True, rename="camel"):
    """Vertex AI's, for the newer models."""

    content: Content
    embed_content_config: EmbedContentConfig | None = None


class Instance(Wire, omit_defaults=True):
    content: str
    task_type: str | None = None


class PredictParameters(Wire, omit_defaults=True, rename="camel"):
    output_dimensionality: int | None = None


class Predict(Wire):
    """Vertex AI's, for the older models."""

    instances: list[Instance]
    parameters: PredictParameters


class Statistics(Wire):
    token_count: Count = None


class Vector(Wire):
    values: list[float] = []
    statistics: Statistics | None = None


class Prediction(Wire):
    embeddings: Vector


class EmbedUsage(Wire, rename="camel"):
    prompt_token_count: Count = None
    total_token_count: Count = None


class EmbedResponse(Wire, rename="camel"):
    """Whichever of the three an upstream answers with."""

    embeddings: list[Vector] | None = None
    embedding: Vector | None = None
    predictions: list[Prediction] | None = None
    usage_metadata: EmbedUsage | None = None
