"""What schemathesis cannot find out by itself: who may call, with which tokens, by which password.

Accounts and sessions are made as an app makes them. Calls that end what they are called with get an account of
their own, so that no other call finds itself signed out."""

import email
import email.policy
import itertools
import os
import re
import subprocess
import time
from pathlib import Path

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import UseAfterFree

BASE = os.environ["SYMBOLON_URL"]
BINARY = os.environ["SYMBOLON_BINARY"]
CLIENT = tuple(os.environ["INTROSPECTION_CLIENTS"].split(":"))
PASSWORD = "correct horse battery"

# Calls that end the session that they are called from, or its account.
FINAL = {"logout", "deleteAccount", "endSessions", "changePassword"}

# Calls by a mailed link, and how many of each get one: a mail takes up to a second.
LINKS = {"verifyEmail": 2, "resetPassword": 2}

numbers = itertools.count()


class Person:
    """Somebody with an account, signed in once by cookie and once by body."""

    def __init__(self, email):
        self.email = email
        self.account = {"email": email, "password": PASSWORD}
        self.sessions = {}

    def session(self, transport):
        if transport not in self.sessions:
            self.sessions[transport] = Session(post("/auth/login", self.account, transport))
        return self.sessions[transport]


class Session:
    def __init__(self, answer):
        tokens = answer.json()
        self.access = tokens["accessToken"]
        self.refresh = tokens.get("refreshToken") or answer.cookies["refreshToken"]
        self.user = tokens["user"]["id"]


def post(path, account, transport):
    answer = requests.post(BASE + path, json=account | {"refreshTransport": transport}, timeout=60)
    answer.raise_for_status()
    return answer


def user(transport="body"):
    person = Person(f"user{next(numbers)}@example.com")
    person.sessions[transport] = Session(post("/auth/register", person.account, transport))
    return person


def admin():
    person = Person(f"admin{next(numbers)}@example.com")
    words = ["users", "create-admin", person.email, "--password-stdin"]
    subprocess.run([BINARY, *words], input=PASSWORD, text=True, check=True, capture_output=True)
    return person


# Who calls. Final calls have callers of their own.
standing = {}


def caller(operation, path, transport):
    who = admin if path.startswith(("/admin", "/auth/verify")) else user
    key = operation if operation in FINAL else who
    if key not in standing:
        standing[key] = who()
    return standing[key].session(transport)


@schemathesis.auth(refresh_interval=None)
class Caller:
    """Gives each call the tokens that it needs."""

    def get(self, case, context):
        return context.operation.definition.raw

    def set(self, case, operation, context):
        name = operation["operationId"]
        needs = {scheme for requirement in operation.get("security", []) for scheme in requirement}
        if LINKS.get(name) and case.method.lower() == context.operation.method.lower() and is_all_sound(case):
            LINKS[name] -= 1
            case.body = {**case.body, "token": mailed(name)}
        if not needs:
            return
        in_body = isinstance(case.body, dict) and "refreshToken" in case.body
        session = caller(name, case.path, "cookie" if "refreshCookie" in needs and not in_body else "body")
        if "introspectionClient" in needs:
            case.headers["Authorization"] = requests.auth._basic_auth_str(*CLIENT)
            if is_sound(case, ParameterLocation.BODY) and is_drawn(case):
                case.body = {**case.body, "token": session.access}
        if "accessToken" in needs:
            case.headers["Authorization"] = f"Bearer {session.access}"
        if "refreshCookie" in needs and not in_body:
            case.cookies["refreshToken"] = session.refresh
        elif "refreshCookie" in needs and is_sound(case, ParameterLocation.BODY):
            case.body = {**case.body, "refreshToken": session.refresh}
        if "id" in case.path_parameters and is_sound(case, ParameterLocation.PATH) and is_drawn(case):
            case.path_parameters["id"] = an_id(case.path, session)


def an_id(path, session):
    """Of something that there is: one of one's own sessions, or another user."""
    what = "users" if path.startswith("/admin") else "sessions"
    listing = "/admin/users" if what == "users" else "/auth/sessions"
    headers = {"Authorization": f"Bearer {session.access}"}
    listed = requests.get(BASE + listing, headers=headers, timeout=60).json().get(what, [])
    return next((one["id"] for one in listed if one["id"] != session.user), session.user)


def mailed(operation):
    """A token that somebody new was mailed, who is sent a link to prove the address anyway."""
    person = user()
    if operation == "resetPassword":
        requests.post(BASE + "/auth/forgot-password", json={"email": person.email}, timeout=60)
    link = re.compile(r"/account/(verify|reset)#token=([\w-]+)")
    for _ in range(600):
        for file in Path(os.environ["DATA_DIR"], "mail").glob("*.eml"):
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            found = link.search(mail.get_body(["plain"]).get_content())
            if person.email in str(mail["to"]) and found and operation.startswith(found[1]):
                return found[2]
        time.sleep(0.1)
    raise AssertionError(f"no mail came to {person.email}")


def is_sound(case, location):
    return case.meta is None or not case.meta.is_negative_at(location)


def is_all_sound(case):
    return case.meta is not None and not case.meta.generation.mode.is_negative


def is_drawn(case):
    """Whether this case gets what there is, rather than what was made up: each second one."""
    return case.id.encode()[-1] % 2 == 0


# What tells a caller that the tokens are of no use any more.
OVER = {"SESSION_REVOKED", "TOKEN_EXPIRED", "REFRESH_TOKEN_EXPIRED", "REFRESH_TOKEN_REUSED"}


@schemathesis.hook
def after_call(context, case, response):
    """Whoever was signed out, demoted or deleted is replaced by somebody else."""
    code = response.json().get("code") if response.status_code in (401, 403) and response.content else None
    if code in OVER or (code == "FORBIDDEN" and case.path.startswith("/admin")):
        standing.clear()
    if response.status_code == 204:
        standing.pop(case.operation.definition.raw["operationId"], None)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """DELETE ends the sessions of a list. The list is then empty, and still there."""
    return not (isinstance(failure, UseAfterFree) and case.path.endswith("/sessions"))


# So that many made-up bodies hold a good address, and the password of whoever calls.
schemathesis.openapi.format("email", st.uuids().map(lambda id: f"{id}@example.com") | st.emails())
# One that is made up has a beginning that keeps it from being one of the common ones, which are refused.
schemathesis.openapi.format("password", st.just(PASSWORD) | st.text(max_size=200).map("Nobody guesses ".__add__))
