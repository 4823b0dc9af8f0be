"""Request bodies that are forms: `multipart/form-data`, as browsers and SDKs send files."""

import asyncio
from typing import Any, NamedTuple

from litestar import Request
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
)

from service.errors import InvalidRequestError, UnsupportedMediaTypeError

_MOST_FIELDS = 100


class File(NamedTuple):
    name: str
    content_type: str
    content: bytes


class Form(NamedTuple):
    """What a form holds. Of several fields of one name the last counts, and `name[]` is `name`."""

    texts: dict[str, str]
    files: dict[str, File]


async def read_form(request: Request[Any, Any, Any], *, bytes_fields: frozenset[str]) -> Form:
    """Read the body; raise `UnsupportedMediaTypeError` or `InvalidRequestError`.

    Args:
        request: its body is not read yet.
        bytes_fields: the fields that are files, also where a client gives no file name.

    """
    kind, options = request.content_type
    if kind != "multipart/form-data" or not options.get("boundary"):
        msg = "Send a form (content-type: multipart/form-data; boundary=…) with the file in it."
        raise UnsupportedMediaTypeError(msg)
    body = await request.body()
    return await asyncio.to_thread(parse_form, body, options["boundary"], bytes_fields)


def parse_form(body: bytes, boundary: str, bytes_fields: frozenset[str]) -> Form:
    """Take a form apart; raise `InvalidRequestError` for what is none."""
    form = Form({}, {})
    segment: MultipartSegment | None = None
    content = bytearray()
    try:
        with PushMultipartParser(boundary, max_segment_count=_MOST_FIELDS) as parser:
            for event in parser.parse(body):
                if isinstance(event, MultipartSegment):
                    segment, content = event, bytearray()
                elif event:
                    content += event
                elif segment is not None:
                    _keep(form, segment, bytes(content), bytes_fields)
    except (MultipartError, ValueError, LookupError) as error:
        msg = f"The body of the request could not be read as a form: {error}."
        raise InvalidRequestError(msg) from None
    return form


def _keep(form: Form, segment: MultipartSegment, content: bytes, files: frozenset[str]) -> None:
    name = (segment.name or "").removesuffix("[]")
    if segment.filename is not None or name in files:
        form.files[name] = File(segment.filename or "", segment.content_type or "", content)
    else:
        form.texts[name] = content.decode(errors="replace")
