"""Small files of each kind, and base64 of them."""

import base64

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
MP3 = b"ID3\x04\0\0\0\0\0\0\xff\xfb\x90\0"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def data_url(content: bytes, mime_type: str = "image/png") -> str:
    return f"data:{mime_type};base64,{base64_of(content)}"
