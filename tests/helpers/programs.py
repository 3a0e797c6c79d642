"""What tests need that pip does not install."""

import pytest

from serving.front import Front

needs_nginx = pytest.mark.skipif(Front.program() is None, reason="nginx is not installed (Debian's package)")
