from __future__ import annotations

import gzip
import zlib

import pytest

from bursar.upstream.answer import joined
from bursar.upstream.decoding import decoder_for, without_encoding

TEXT = b"data: {}\n\n" * 50


@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity "])
def test_what_is_not_encoded_needs_no_decoder(encoding: str | None) -> None:
    assert decoder_for({} if encoding is None else {"content-encoding": encoding}) is None


@pytest.mark.parametrize(
    ("encoding", "encoded"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("X-GZIP", gzip.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
    ],
    # Named, because what gzip makes holds the time, and workers must collect the same tests.
    ids=["gzip", "x-gzip", "deflate", "two gzip members"],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_encoded_bytes_are_decoded_however_they_are_cut(
    encoding: str, encoded: bytes, size: int
) -> None:
    decoder = decoder_for({"content-encoding": encoding})
    assert decoder is not None
    pieces = [encoded[at : at + size] for at in range(0, len(encoded), size)]
    assert b"".join(decoder.feed(piece) for piece in pieces) == TEXT
    decoder.finish()


def test_flushed_data_is_decoded_at_once() -> None:
    compressor = zlib.compressobj(wbits=31)
    sent = compressor.compress(b"first") + compressor.flush(zlib.Z_SYNC_FLUSH)
    decoder = decoder_for({"content-encoding": "gzip"})
    assert decoder is not None
    assert decoder.feed(sent) == b"first"


def test_an_end_in_the_middle_is_noticed() -> None:
    decoder = decoder_for({"content-encoding": "gzip"})
    assert decoder is not None
    decoder.feed(gzip.compress(TEXT)[:-3])
    with pytest.raises(ValueError, match="too early"):
        decoder.finish()


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
def test_other_encodings_are_refused(encoding: str) -> None:
    decoder = decoder_for({"content-encoding": encoding})
    assert decoder is not None
    with pytest.raises(ValueError, match="unsupported"):
        decoder.feed(b"x")


def test_headers_of_a_decoded_body_do_not_describe_the_encoded_one() -> None:
    headers = {"content-encoding": "gzip", "content-length": "3", "x-request-id": "r"}
    assert without_encoding(headers) == {"x-request-id": "r"}


def test_repeated_headers_become_one_list() -> None:
    pairs = [(b"X-A", b"1"), (b"b", b"\xe9"), (b"x-a", b"2")]
    assert joined(pairs) == {"x-a": "1, 2", "b": "é"}
