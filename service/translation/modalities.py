"""What a model is to answer with: text, images or speech."""

from service.errors import InvalidRequestError
from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionRequest


def ask_for_modalities(
    config: gemini.GenerationConfig, request: ChatCompletionRequest, model: Model
) -> None:
    """Say so where the model has a choice, and how its images and its voice shall be."""
    config.response_modalities = _modalities(request, model)
    config.speech_config = _speech(request, model)
    config.image_config = _image(request, model)


def refuse_modalities(request: ChatCompletionRequest, model: Model) -> None:
    """Raise `InvalidRequestError` for what this model cannot answer with."""
    if not request.modalities:
        return
    # OpenAI's clients ask for text beside audio: the transcript.
    can = {*model.outputs, "text"} if request.modalities != ["text"] else {*model.outputs}
    if unable := [name for name in request.modalities if name.lower() not in can]:
        outputs = " and ".join(model.outputs)
        msg = f"{model.id} answers in {outputs}, not in: {', '.join(unable)}."
        raise InvalidRequestError(msg, param="modalities", code="unsupported_value")


def must_write(model: Model) -> None:
    """Raise `InvalidRequestError` for a model that gives no text, where text is all there is."""
    if "text" not in model.outputs:
        msg = f"{model.id} answers in {' and '.join(model.outputs)}: use /v1/chat/completions."
        raise InvalidRequestError(msg, param="model", code="unsupported_value")


def must_hear(model: Model) -> None:
    """Raise `InvalidRequestError` for a model that takes no recordings."""
    if "audio" not in model.inputs:
        msg = f"{model.id} takes {' and '.join(model.inputs)}, and no recordings."
        raise InvalidRequestError(msg, param="model", code="unsupported_value")


def ignored_outputs(request: ChatCompletionRequest, model: Model) -> list[str]:
    """Name what the client says of images and speech that it will not get."""
    names = []
    if request.audio is not None and "audio" not in model.outputs:
        names.append("audio")
    if _image_asked(request) and "image" not in model.outputs:
        names.append("image_config")
    return names


def _modalities(request: ChatCompletionRequest, model: Model) -> list[str] | None:
    if model.outputs == ("text",):
        return None
    if model.outputs == ("audio",):
        return ["AUDIO"]  # beside which Google takes nothing, and its default is text
    wanted = dict.fromkeys(request.modalities or [])
    return [name.upper() for name in wanted] or None


def _speech(request: ChatCompletionRequest, model: Model) -> gemini.SpeechConfig | None:
    voice = request.audio and request.audio.voice
    if not voice or "audio" not in model.outputs:
        return None
    name = voice if isinstance(voice, str) else voice.id
    return gemini.SpeechConfig(gemini.VoiceConfig(gemini.PrebuiltVoice(name)))


def _image(request: ChatCompletionRequest, model: Model) -> gemini.ImageConfig | None:
    return _image_asked(request) if "image" in model.outputs else None


def _image_asked(request: ChatCompletionRequest) -> gemini.ImageConfig | None:
    asked = request.image_config
    if asked is None:
        return None
    ratio = asked.aspect_ratio or asked.camel_ratio
    size = asked.image_size or asked.camel_size
    return gemini.ImageConfig(ratio, size) if ratio or size else None
