"""Images, recordings and files of a message, as Gemini's parts.

What stands behind an http(s) URL comes as an argument. Large base64 is passed on as it came; only
its head is decoded, to see what it is.
"""

import binascii
import re
from collections.abc import Mapping, Sequence

from service.errors import InvalidRequestError
from service.file_uris import FILES_API, NOT_HERE, kind_of
from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import Content
from service.schemas.openai_media import AnyMedia, Fetched, MediaPart
from service.translation import media_types
from service.translation.defaults import Defaults
from service.translation.media_parts import (
    Given,
    address_of,
    given,
    scheme_of,
)
from service.translation.resolution import level_of

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_QUANTUM = 4  # characters of base64 that make three bytes
#: Its other spellings: for URLs, and what percent-encoding makes of it.
_STANDARD = bytes.maketrans(b"-_", b"+/")
_ESCAPED = tuple(
    (f"%{code}".encode(), character)
    for codes, character in (
        (("2B", "2b"), b"+"),
        (("2F", "2f"), b"/"),
        (("3D", "3d"), b"="),
        (("0A", "0a", "0D", "0d", "20"), b""),
    )
    for code in codes
)
_LONGEST_PREFIX = 1000  # of a data URL, before its comma
_DATA_URL = re.compile(r"data:(?P<type>[^,]*?);base64", re.IGNORECASE)
#: What a type is called where a model's inputs are listed.
_INPUTS = {"image": "image", "audio": "audio", "video": "video"}


class MediaReader:
    """Makes Gemini's parts of the parts of one request, and counts their bytes.

    Args:
        model: that will get them.
        defaults: how many bytes there may be, and what Google reads by itself.
        fetched: what `to_fetch` named, by its URL.

    """

    def __init__(self, model: Model, defaults: Defaults, fetched: Mapping[str, Fetched]) -> None:
        self._model = model
        self._defaults = defaults
        self._fetched = fetched
        self._left = defaults.media_max_bytes
        #: What each of the ways reads that can read everything so far.
        self._readers: Sequence[frozenset[str]] = defaults.google_reads

    def read(self, part: AnyMedia, where: str) -> gemini.Part:
        """Return Gemini's part.

        Raise `InvalidRequestError`, with `where` and the place in the part, for what it cannot
        take.
        """
        media = given(part)
        where += media.place
        read = self._read(media, where)
        if media.clip is not None:
            read.video_metadata = media.clip
        if self._model.media_in_parts and (level := level_of(media.detail)):
            read.media_resolution = gemini.PartMediaResolution(level)
        return read

    def parts_of_result(
        self, content: Content, where: str
    ) -> tuple[list[gemini.Part], list[gemini.Part]]:
        """Return what a tool's result holds besides text: what goes inside of it, what after it."""
        inside: list[gemini.Part] = []
        beside: list[gemini.Part] = []
        for index, part in enumerate(content if isinstance(content, list) else []):
            if isinstance(part, MediaPart):
                read = self.read(part, f"{where}[{index}]")
                data = read.inline_data or read.file_data
                kind = ((data and data.mime_type) or "").partition("/")[0]
                if self._model.media_in_parts and kind not in ("audio", "video"):
                    read.media_resolution = read.video_metadata = None  # unknown there
                    inside.append(read)
                else:
                    beside.append(read)
        return inside, beside

    def _read(self, media: Given, where: str) -> gemini.Part:
        if media.data:
            return self._inline(media, media.data, where)
        url = address_of(media)
        if not url:
            raise _refused(where, "it says neither where the content is, nor what it is")
        if kind := kind_of(url):
            return self._linked(media, url, kind, where)
        scheme = scheme_of(url)
        if scheme == "data":
            return self._inline(media, url, where)
        if scheme not in ("http", "https"):
            if where.endswith(".file_id"):
                raise _refused(where, "there is no such file: this gateway keeps none")
            raise _refused(where, "it must be a data URL (data:…;base64,…) or an http(s) URL")
        found = self._fetched.get(url)
        if found is None:
            raise _refused(where, "nothing was found there")
        path = url.partition("?")[0].partition("#")[0]
        declared = media_types.named(media.declared) or media_types.named(found.content_type)
        media = media._replace(declared=declared, filename=media.filename or path)
        return self._blob(media, found.data, where)

    def _inline(self, media: Given, data: str, where: str) -> gemini.Part:
        declared = media.declared
        if data[:5].lower() == "data:":
            comma = data.find(",", 0, _LONGEST_PREFIX)
            match = _DATA_URL.fullmatch(data, 0, comma) if comma > 0 else None
            if match is None:
                raise _refused(where, "a data URL must be base64 (data:image/png;base64,…)")
            declared = media_types.named(match["type"]) or declared
            data = data[comma + 1 :]
        text = _canonical(data)
        if text is None:
            raise _refused(where, "its base64 cannot be decoded")
        return self._blob(media._replace(declared=declared), text, where)

    def _blob(self, media: Given, data: str, where: str) -> gemini.Part:
        if not data:
            raise _refused(where, "it is empty")
        self._left -= len(data) // _QUANTUM * 3 - data.count("=", -2)
        if self._left < 0:
            msg = (
                f"'{where}' is too large: the images and files of a request may have "
                f"{self._defaults.media_max_bytes} bytes together."
            )
            raise InvalidRequestError(msg, param=where, code="media_too_large")
        mime_type = self._allowed(self._type(media, data), media, where)
        return gemini.Part(inline_data=gemini.Blob(mime_type, data))

    def _type(self, media: Given, data: str) -> str | None:
        """Say what the bytes are: by themselves, by what is declared, by the name."""
        head = binascii.a2b_base64(data[: media_types.HEAD * _QUANTUM // 3])
        declared = media_types.named(media.declared, media.kind)
        by_bytes = media_types.of_bytes(head, declared)
        if by_bytes is not None:
            # Only text may be more than its beginning shows.
            text = declared is not None and declared.startswith("text/")
            return declared if text and by_bytes == "text/html" else by_bytes
        said = [name for name in (declared, media_types.of_name(media.filename)) if name]
        if taken := [name for name in said if media_types.is_taken(name)]:
            return taken[0]
        if media.is_file and media_types.looks_like_text(head):
            return "text/plain"
        return said[0] if said else None

    def _linked(self, media: Given, url: str, kind: str, where: str) -> gemini.Part:
        reading = [reads for reads in self._readers if kind in reads]
        if not reading:
            here = any(kind in reads for reads in self._defaults.google_reads)
            raise _refused(where, _NOT_TOGETHER if here else NOT_HERE[kind])
        self._readers = reading
        if kind == "youtube":
            mime_type: str | None = "video/mp4"
        else:
            declared = media_types.named(media.declared, media.kind)
            mime_type = declared or media_types.of_name(media.filename or url)
            if mime_type is None and media.kind == "video":
                mime_type = "video/mp4"
        if mime_type is None and kind == "files":
            return gemini.Part(file_data=gemini.FileData(_files_uri(url)))
        mime_type = self._allowed(mime_type, media, where)
        uri = _files_uri(url) if kind == "files" else url
        return gemini.Part(file_data=gemini.FileData(uri, mime_type))

    def _allowed(self, mime_type: str | None, media: Given, where: str) -> str:
        if mime_type is None:
            raise _refused(
                where, "nothing shows its type; a name that ends in one would, or a data URL"
            )
        if not media_types.is_taken(mime_type):
            raise _refused(where, f"it is {mime_type[:100]}, which Gemini does not take", _TYPE)
        if mime_type.startswith("text/") and not media.is_file:
            raise _refused(where, f"it is {mime_type[:100]}; send text as a file", _TYPE)
        kind = _INPUTS.get(mime_type.partition("/")[0], "file")
        if kind not in self._model.inputs:
            raise _refused(where, f"{self._model.id} takes no {mime_type}", _TYPE)
        return mime_type


_TYPE = "unsupported_value"
_NOT_TOGETHER = "no way to Gemini reads it together with the files before it"


def _files_uri(name: str) -> str:
    return FILES_API + name if name.startswith("files/") else name


def _refused(where: str, why: str, code: str = "invalid_value") -> InvalidRequestError:
    return InvalidRequestError(f"Invalid '{where}': {why}.", param=where, code=code)


def _canonical(data: str) -> str | None:
    """Return base64 as Google wants it, from any of its spellings; None for what is none.

    Nearly always it is that already, and then it is looked at once, in C.
    """
    if not data.isascii():
        return None
    raw = data.encode()
    rest = raw.translate(None, _ALPHABET)
    if rest.strip(b"="):
        for spelling, character in _ESCAPED if b"%" in rest else ():
            raw = raw.replace(spelling, character)
        raw = raw.translate(_STANDARD, b" \t\r\n\f\v")
        rest = raw.translate(None, _ALPHABET)
        data = raw.decode()
    if rest.strip(b"=") or not raw.endswith(rest):
        return None
    if len(data) % _QUANTUM == 0 and len(rest) < _QUANTUM - 1:
        return data
    bare = data[: len(data) - len(rest)]
    return None if len(bare) % _QUANTUM == 1 else bare + "=" * (-len(bare) % _QUANTUM)
