"""The model for the tests of this folder."""

from __future__ import annotations

import pytest
from social_model import SocialDomain


@pytest.fixture(scope="session")
def social() -> SocialDomain:
    return SocialDomain()
