"""What the client promises whatever answers it."""

import ssl

from bento.client import open_http


def test_plain_http_reads_no_certificates(monkeypatch):
    made = []
    create = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda *a, **k: made.append(1) or create(*a, **k))

    def opened(address):
        made.clear()
        with open_http(address, token=None, ca=None, name=None, proxied=False):
            return len(made)

    assert opened("http://127.0.0.1:3000") == 0
    assert opened("https://127.0.0.1:3000") == 1
