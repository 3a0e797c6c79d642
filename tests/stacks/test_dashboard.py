import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from stacks.dashboard import skip_form


def test_the_first_visitors_form_is_answered():
    seen = {}

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):  # the standard library's name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.update(path=self.path, **json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    skip_form(f"http://127.0.0.1:{server.server_port}")
    thread.join()
    server.server_close()
    assert seen["path"] == "/api/v1/current-user"
    # the dashboard shows the form until both are answered
    assert seen["email_opted_in"] is False
    assert seen["user_metadata"] == {"finished_onboarding_survey": True}
