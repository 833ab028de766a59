"""An HTTP proxy before the API: counts requests, and loses the answers that it is told to lose."""

import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import httpx

from local.template import Template

_SHORT = 400
_NUMBER = re.compile(r"/\d+")


class Middleman:
    """Everything that is sent to url arrives at the API."""

    def __init__(self, api: httpx.Client) -> None:
        self.requests: Counter[str] = Counter()
        """By method and path, with # for a number."""
        self.not_ok: list[tuple[str, int]] = []
        self.journal: list[str] = []
        """Every request and its answer, shortened: what a test that fails shows."""
        self._api = api
        self._lose: Counter[str] = Counter()
        self._is_lost: Callable[[str, bytes], bool] = lambda *_: False
        self._answered: set[tuple[str, str, bytes]] = set()
        self._numbers: dict[tuple[str, str, bytes], int] = {}
        self._lost_from: int | None = None
        self.lost: Counter[str] = Counter()
        """First answers that were lost, by route."""
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = False  # so that none passes anything on after the end
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def lose_answer(self, path_end: str, times: int = 1) -> None:
        """The next so many answers to a path that ends so never arrive: the connection is closed instead."""
        self._lose[path_end] = times

    def lose_first_answers(self, is_lost: Callable[[str, bytes], bool]) -> None:
        """From now on, the first answer to each distinct request never arrives, if this holds of its route and body.

        A route is named as in `requests`. Requests are distinct by method, path and body.
        """
        self._is_lost = is_lost

    @property
    def distinct(self) -> int:
        """The distinct requests so far."""
        return len(self._numbers)

    def lose_answer_number(self, number: int) -> None:
        """The first answer to the number-th distinct request from now on never arrives.

        If it must arrive (lose_first_answers), that of the next one that need not is lost in its stead.
        """
        self._numbers.clear()
        self.lost.clear()
        self._lost_from = number

    def pass_on(self, method: str, path: str, body: bytes, credentials: str | None) -> httpx.Response | None:
        """The API's answer; None if it is to be lost."""
        plain = path.partition("?")[0].removeprefix(f"/{Template().stage}")
        headers = {"Content-Type": "application/json"} | ({"Authorization": credentials} if credentials else {})
        reply = self._api.request(method, path, content=body, headers=headers)
        with self._lock:
            route = f"{method} {_NUMBER.sub('/#', plain)}"
            self.requests[route] += 1
            asked, answered = body.decode(errors="replace")[:_SHORT], reply.text[:_SHORT]
            self.journal.append(f"{time.strftime('%X')} {method} {plain} {asked} -> {reply.status_code} {answered}")
            if reply.status_code != httpx.codes.OK:
                self.not_ok.append((plain, reply.status_code))
            for path_end, times in self._lose.items():
                if times and plain.endswith(path_end):
                    self._lose[path_end] -= 1
                    return None
            request = method, path, body
            number = self._numbers.setdefault(request, len(self._numbers) + 1)
            if self._is_lost(route, body) and request not in self._answered and self._is_due(number):
                self._answered.add(request)
                self.lost[route] += 1
                return None
        return reply

    def _is_due(self, number: int) -> bool:
        """Whether an answer is lost now: each is, or one of those from a number on."""
        return self._lost_from is None or (number >= self._lost_from and not self.lost)


def _handler(middleman: Middleman) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = middleman.pass_on(self.command, self.path, body, self.headers.get("Authorization"))
            if reply is None:
                self.close_connection = True
                return
            with contextlib.suppress(ConnectionError):  # a program that was killed reads no answer
                self.send_response(reply.status_code)
                self.send_header("Content-Type", reply.headers["Content-Type"])
                self.send_header("Content-Length", str(len(reply.content)))
                self.end_headers()
                self.wfile.write(reply.content)

        do_GET = do_POST = do_PUT = _pass_on  # noqa: N815  # http.server looks for these names

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
