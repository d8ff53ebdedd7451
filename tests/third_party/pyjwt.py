"""A service that verifies access tokens with PyJWT's PyJWKClient, as its documentation shows it.

ISSUER, AUDIENCE, ALGORITHMS and JWKS_URL come from the environment.
"""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

# The published keys are kept for five minutes; a `kid` that is not among them makes it fetch at once.
KEYS = jwt.PyJWKClient(os.environ["JWKS_URL"])


def verify(token):
    key = KEYS.get_signing_key_from_jwt(token)
    # By hand: PyJWT does not look at `typ` (RFC 9068, 4).
    if jwt.get_unverified_header(token).get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("that is no access token")
    claims = jwt.decode(
        token,
        key.key,
        algorithms=os.environ["ALGORITHMS"].split(","),
        issuer=os.environ["ISSUER"],
        audience=os.environ["AUDIENCE"],
        options={"require": ["exp", "iss", "aud", "sub"]},
    )
    return claims["sub"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, _, token = self.headers.get("Authorization", "").partition("Bearer ")
        try:
            self.answer(200, {"sub": verify(token)})
        except jwt.PyJWTError as error:
            self.answer(401, {"reason": repr(error)})

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print("ready", server.server_port, flush=True)
    server.serve_forever()
