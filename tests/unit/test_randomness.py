"""Streams by address: the bits of numpy's own generator under the same key."""

import hashlib

import numpy as np

from workbench.randomness import digest, rng


def test_a_stream_is_that_of_the_key_as_numpy_takes_it():
    key = int.from_bytes(hashlib.blake2b(b"7\x1fvessels\x1f2\x1f31", digest_size=16).digest(), "little")
    own, expected = rng(np.int64(7), "vessels", 2, 31), np.random.Generator(np.random.Philox(key=key))
    assert digest(7, "vessels", 2, 31) == key
    np.testing.assert_array_equal(own.random(9), expected.random(9))
    np.testing.assert_array_equal(own.integers(1000, size=9), expected.integers(1000, size=9))
    np.testing.assert_array_equal(own.standard_normal(9, np.float32), expected.standard_normal(9, np.float32))
    assert rng(7, "vessels", 2, 32).random() != rng(7, "vessels", 2, 31).random()
