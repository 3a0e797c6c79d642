"""The page to try the model, and the OpenAPI page: in a real browser, and without any other host."""

import asyncio
import re
import shutil
import threading
from types import SimpleNamespace
from unittest.mock import Mock

import httpx
import pytest
import uvicorn

from bento.http import create_app
from bento.identity import Identity
from bento.predictor import Predictor
from bento.settings import ServiceSettings
from bento.tokens import Tokens
from sentiment.models import Classifier
from sentiment.monitoring.prediction_log import read_log
from tests.helpers.loopback import free_ports, until

CHROMIUM = shutil.which("chromium")
HOST = "reviews.example"  # resolved to this machine: nothing may depend on the name localhost
REVIEW = "a lovely film with a dull ending"
FILES = ("/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/favicon.png")


@pytest.fixture(scope="module")
def classifier(servable):
    return Classifier.load(servable)


@pytest.fixture
def app_of(classifier, tmp_path):
    """Makes services in this process, which log into one folder."""
    predictors = []

    def make(version="7", tokens=(), **settings):
        identity = Identity("sentiment", version, "cascade", "numpy", "tag", classifier.manifest.labels)
        given = ServiceSettings(log=tmp_path / "log", **settings)
        predictors.append(Predictor(classifier, identity, given, Mock()))
        guard = create_app()
        guard.start(predictors[-1], Tokens(tokens))
        return guard

    yield make
    for predictor in predictors:
        predictor.close()


def ask(app, *requests):
    """The responses to requests: each is the arguments of httpx's ``request``."""

    async def run():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return [await client.request(method, path, **options) for method, path, options in requests]

    return asyncio.run(run())


def get(app, path, **headers):
    (answer,) = ask(app, ("GET", path, {"headers": headers}))
    return answer


def test_the_page_is_whole_and_allows_nothing_but_itself(app_of):
    answer = get(app_of(tokens=["hunter2"]), "/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert {"default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    links = re.findall(r"""(?:src|href|action)=["']?([^"' >]+)|url\(([^)]*)\)|@import""", answer.text)
    assert [link for link, _ in links if not link.startswith("data:")] == ["docs"]
    assert "hunter2" not in answer.text


def test_the_openapi_page_cannot_be_framed(app_of):
    headers = get(app_of(), "/docs").headers
    assert headers["content-security-policy"] == "frame-ancestors 'none'"
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


def test_the_openapi_document_names_the_token_where_one_is_needed(app_of):
    document = get(app_of(tokens=["hunter2"]), "/openapi.json").json()
    assert document["components"]["securitySchemes"] == {"bearer": {"type": "http", "scheme": "bearer"}}
    guarded = {path for path, of in document["paths"].items() if all("security" in o for o in of.values())}
    assert guarded == {"/v1/predict", "/v1/explain", "/v1/feedback", "/v1/info", "/invocations"}
    without = get(app_of(), "/openapi.json").text
    assert '"security' not in without
    assert '"/v1/predict"' in without


def test_the_path_of_sagemaker_is_answered_without_fastapi(app_of, monkeypatch):
    app = app_of()
    monkeypatch.setattr(app, "_app", None)
    url, kind = "/invocations", {"content-type": "text/csv"}
    csv, lines, other, wrong, packed = ask(
        app,
        ("POST", url, {"content": REVIEW, "headers": kind}),
        ("POST", url, {"content": REVIEW, "headers": kind | {"accept": "application/jsonlines"}}),
        ("POST", url, {"content": REVIEW, "headers": kind | {"accept": "text/html"}}),
        ("POST", url, {"content": "{", "headers": {"content-type": "application/json"}}),
        ("POST", url, {"content": REVIEW, "headers": kind | {"content-encoding": "br"}}),
    )
    assert (csv.status_code, csv.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert csv.headers["x-amzn-sagemaker-custom-attributes"] == "bento=tag&version=7&engine=numpy"
    assert (lines.headers["content-type"], lines.json()["model_version"]) == ("application/jsonlines", "7")
    assert [(a.status_code, a.json()["error"]["code"]) for a in (other, wrong, packed)] == [
        (status, "INVALID_ARGUMENT") for status in (406, 400, 415)
    ]


def test_the_page_can_be_switched_off(app_of):
    off = app_of(page=False)
    home, nowhere = get(off, "/"), get(off, "/nowhere")
    assert home.status_code == nowhere.status_code == 404
    assert home.json()["error"]["message"] == nowhere.json()["error"]["message"]
    assert get(off, "/docs").status_code == 200


def test_the_openapi_page_takes_its_files_from_the_service(app_of):
    app = app_of(tokens=["hunter2"])
    assert set(re.findall(r'(?:src|href)="([^"]+)"', get(app, "/docs").text)) == set(FILES)
    for path in FILES:
        answer = get(app, path)
        assert answer.status_code == 200, path
        assert get(app, path, **{"if-none-match": answer.headers["etag"]}).status_code == 304, path
    assert get(app, "/docs/redoc.standalone.js").status_code == 404  # the image has no such file


@pytest.mark.parametrize(("log_text", "kept"), [(True, 1), (False, 0)])
def test_the_service_says_whether_it_keeps_texts(app_of, log_text, kept):
    assert get(app_of(log_text=log_text), "/v1/info").json()["limits"]["keeps_text"] == kept


def test_without_a_log_no_text_is_kept():
    settings = ServiceSettings(log_text=True)
    assert Predictor.limits(SimpleNamespace(settings=settings))["keeps_text"] == 0


def test_feedback_reaches_a_prediction_of_the_version_before_a_switch(app_of, tmp_path):
    (answer,) = ask(app_of("7"), ("POST", "/v1/predict", {"json": {"texts": [REVIEW]}}))
    feedback = {"prediction_id": answer.json()["predictions"][0]["id"], "label": "negative"}
    (noted,) = ask(app_of("8"), ("POST", "/v1/feedback", {"json": feedback}))
    assert noted.status_code == 202
    until(lambda: [r.feedback for r in read_log(tmp_path / "log", model_version="7").records] == ["negative"])


# In a browser


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian's package)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", f"--host-resolver-rules=MAP {HOST} 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens pages; at the end, none has asked another host, and none has broken its own policy."""
    contexts, foreign, errors = [], [], []

    def open_(port, path="/", **options):
        own = f"http://{HOST}:{port}"

        def check(route):
            if route.request.url.startswith(f"{own}/"):
                route.continue_()
            else:
                foreign.append(route.request.url)
                route.abort()

        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.route("**/*", check)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if "Policy" in message.text else None)
        page.goto(own + path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert (foreign, errors) == ([], [])


@pytest.fixture
def served(app_of):
    """Serves an application of this process; returns its port."""
    servers = []

    def serve(**settings):
        (port,) = free_ports(1)
        config = uvicorn.Config(app_of(**settings), port=port, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        servers.append((server, thread))
        until(lambda: server.started)
        return port

    yield serve
    for server, thread in servers:
        server.should_exit = True
        thread.join()


def answer_of(page):
    """Waits for the answer with its marked words; returns both."""
    page.wait_for_selector("#legend:visible")
    marks = page.eval_on_selector_all("mark:not(#legend mark)", "found => found.map(m => [m.className, m.textContent])")
    return page.inner_text("#label"), [tuple(mark) for mark in marks]


def expect(page, selector, words):
    """Waits for words in an element, without a script: the page's policy allows no other than its own."""
    from playwright.sync_api import expect

    expect(page.locator(selector)).to_contain_text(words, timeout=60_000)


def real_answer(route):
    """The service's answer to an intercepted request."""
    return route.fetch(url=route.request.url.replace(HOST, "127.0.0.1")).json()


def focused(page):
    return page.evaluate("document.activeElement.id || document.activeElement.textContent")


def shown(page):
    """The colour of every element's own text on what is behind it, as (what, ink, paper) in sRGB."""
    return page.evaluate(
        """() => {
          const pen = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
          const over = (colours) => {
            pen.clearRect(0, 0, 1, 1);
            for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
            return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
          };
          const found = [];
          for (const element of document.querySelectorAll("body *")) {
            const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
            if (!own || !element.checkVisibility()) continue;
            const behind = [];
            for (let e = element; e; e = e.parentElement) behind.unshift(getComputedStyle(e).backgroundColor);
            const add = (what, ink) => found.push([what, over([...behind, ink]), over(behind)]);
            add(element.id || element.tagName, getComputedStyle(element).color);
            if (element.tagName === "MARK") add("sign", getComputedStyle(element, "::before").color);
          }
          return found;
        }"""
    )


def contrast(ink, paper):
    """WCAG 2.2: from 1 (equal) to 21 (black on white)."""

    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(ink), luminance(paper)))
    return (light + 0.05) / (dark + 0.05)


def test_a_review_is_answered_and_feedback_is_logged(service, service_log, open_page):
    page = open_page(service.http_port)
    expect(page, "#kept", "does not keep")
    assert "20,000 characters a text; 64 texts, 10 s a request" in page.inner_text("#facts")
    page.keyboard.press("Tab")
    assert focused(page) == "text"
    page.keyboard.type(REVIEW)
    page.keyboard.press("Control+Enter")
    label, marks = answer_of(page)
    assert {("up", "lovely"), ("down", "dull")} <= set(marks)
    assert page.text_content("#marked") == REVIEW
    assert "model version 7" in page.inner_text("#version")
    score = float(page.inner_text("#score").rstrip("%")) / 100
    assert ("Too unsure" in page.inner_text("#abstained")) is (score < 0.7)
    for expected in ("send", *page.locator("#examples button").all_text_contents(), "marked", "right", "wrong"):
        page.keyboard.press("Tab")
        assert focused(page) == expected
    page.keyboard.press("Enter")
    page.wait_for_selector("#noted:visible")
    other = {"positive": "negative", "negative": "positive"}[label.lower()]
    assert page.inner_text("#noted") == f"Noted: the review is {other}. Thank you."
    assert focused(page) == "noted"
    logged = (label.lower(), other, len(REVIEW))
    until(lambda: logged in {(r.label, r.feedback, r.characters) for r in read_log(service_log).records})


def test_the_openapi_page_lists_the_operations(service, open_page):
    page = open_page(service.http_port, "/docs")
    page.wait_for_selector(".opblock")
    listed = {path.replace("\u200b", "") for path in page.locator(".opblock-summary-path").all_text_contents()}
    assert {"/v1/predict", "/v1/explain", "/v1/feedback", "/v1/info", "/invocations"} <= listed


def test_the_openapi_page_sends_a_token(served, open_page):
    page = open_page(served(tokens=["hunter2"]), "/docs")
    page.click(".auth-wrapper .authorize")
    page.fill(".auth-container input", "hunter2")
    page.click(".auth-btn-wrapper .authorize")
    page.click(".auth-btn-wrapper .btn-done")
    page.click("text=Model, lineage and limits")
    page.click(".try-out__btn")
    page.click(".execute")
    expect(page, ".live-responses-table tbody .response-col_status", "200")


def test_a_token_is_asked_for_and_not_stored(served, open_page):
    page = open_page(served(tokens=["hunter2"]))
    page.wait_for_selector("#access:visible")
    assert "needs a token" in page.inner_text("#problem")
    for given, answer in (("wrong", "does not accept this token"), ("wr\u00f6ng", "ASCII"), ("hunter2", None)):
        page.fill("#token", given)
        page.keyboard.press("Enter")
        if answer:
            expect(page, "#problem", answer)
    page.wait_for_selector("#access", state="hidden")
    assert page.inner_text("#problem") == ""
    page.fill("#text", REVIEW)
    page.click("#send")
    assert answer_of(page)[1]
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert "hunter2" not in page.content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_phone_and_is_readable(served, open_page, scheme):
    page = open_page(served(), viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page.fill("#text", f"{REVIEW} {'dull' * 100}")
    page.click("#send")
    answer_of(page)
    page.evaluate("showProblem('The service cannot answer now.'); document.getElementById('access').hidden = false")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is (scheme == "light")
    found = shown(page)
    assert {"label", "problem", "send", "MARK", "sign", "kept"} <= {what for what, *_ in found}
    assert [(what, ink, paper) for what, ink, paper in found if contrast(ink, paper) < 4.5] == []


def test_untrusted_text_is_text_and_marks_are_where_they_belong(served, open_page):
    page = open_page(served())
    review = "\U0001f600 <img src=x onerror=alert(1)> \U0001f44d\U0001f3fd lovely & </script> dull"
    page.fill("#text", review)
    assert page.inner_text("#count").startswith(f"{len(review)} of 20,000")
    page.click("#send")
    assert {("up", "lovely"), ("down", "dull")} <= set(answer_of(page)[1])
    assert page.text_content("#marked") == review
    assert page.locator("#result img, #result script").count() == 0


PROBLEM = {"code": "INVALID_ARGUMENT", "message": "texts.0: wrong"}
REFUSALS = [
    ({"status": 503, "headers": {"retry-after": "7"}, "body": "<html>"}, "(503). Try again in 7 s."),
    ({"status": 422, "json": {"error": PROBLEM}}, "Not answered (422): texts.0: wrong."),
    ({"status": 500, "headers": {"x-request-id": "one"}, "body": ""}, "Request one."),
    (None, "The service does not answer. Check the network, then try again."),
]


def refuse(refusal):
    return lambda route: route.fulfill(**refusal) if refusal else route.abort()


def test_a_refusal_is_one_line_and_the_text_stays(served, open_page):
    page = open_page(served())
    page.click("#send")
    assert page.inner_text("#problem") == "Write or paste a review first."
    page.fill("#text", REVIEW)
    for refusal, words in REFUSALS:
        page.route("**/v1/predict", refuse(refusal))
        page.click("#send")
        expect(page, "#problem", words)
        assert page.input_value("#text") == REVIEW
        assert page.is_hidden("#result")
        page.unroute("**/v1/predict")
    page.click("#send")
    answer_of(page)
    assert page.inner_text("#problem") == ""
    page.fill("#text", "a" * 20_001)
    page.click("#send")
    expect(page, "#problem", "20,000 characters are read")


@pytest.mark.parametrize(("times", "told"), [(1, False), (2, True)])
def test_words_of_another_version_are_asked_for_again_or_named(served, open_page, times, told):
    page = open_page(served())
    left = [times]

    def explain(route):
        answer = real_answer(route)
        left[0] -= 1
        route.fulfill(json=answer | ({"model_version": "8"} if left[0] >= 0 else {}))

    page.route("**/v1/explain", explain)
    page.fill("#text", REVIEW)
    page.click("#send")
    answer_of(page)
    assert times - left[0] == 2
    assert ("marked by version 8" in page.inner_text("#version")) is told
    assert "model version 7" in page.inner_text("#version")


def test_says_that_texts_are_kept_before_it_sends_one(served, open_page, tmp_path):
    page = open_page(served(log_text=True))
    expect(page, "#kept", "This service keeps the texts")
    page.reload()
    kept = {"limits": {"texts": 64, "characters": 20_000, "seconds": 10, "abstain_below": 0.6, "keeps_text": 0}}
    page.route("**/v1/info", lambda route: route.fulfill(json=real_answer(route) | kept))
    page.reload()
    expect(page, "#kept", "does not keep")
    page.unroute("**/v1/info")  # as after a deployment that keeps texts
    page.fill("#text", REVIEW)
    page.click("#send")
    expect(page, "#problem", "This service keeps texts")
    assert page.is_hidden("#result")
    page.click("#send")
    answer_of(page)
    until(lambda: [r.text for r in read_log(tmp_path / "log").records] == [REVIEW])
