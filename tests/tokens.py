"""JSON web tokens for tests, good ones and bad ones."""
import base64
import hashlib
import hmac
import json
import time


def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(subject, secret, alg="HS256", exp=0, **claims):
    """exp: 0 for a minute from now, None for none. Signed by what `alg` names; "none" by HS256 all the same."""
    if exp is not None:
        claims["exp"] = exp or int(time.time()) + 60
    if subject is not None:
        claims["sub"] = subject
    head = part(json.dumps({"alg": alg, "typ": "JWT"}).encode()) + b"." + part(json.dumps(claims).encode())
    digest = hashlib.sha512 if alg == "HS512" else hashlib.sha256
    return (head + b"." + part(hmac.new(secret.encode(), head, digest).digest())).decode()
