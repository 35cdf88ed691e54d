"""A cloud to probe, real or embedded: raw requests, signed here with the standard library alone, so
that neither stsctl's signer nor an SDK's stands between a probe and the wire."""

import base64
import hashlib
import hmac
import http.client
import json
import re
import ssl
import uuid
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from urllib.parse import quote, urlencode, urlsplit

EMPTY = hashlib.sha256(b"").hexdigest()


def pe(text):
    """Percent-encodes all but RFC 3986's unreserved characters."""
    return quote(str(text), safe="-_.~")


class Keys:
    """An AccessKey pair, and the SecurityToken of a temporary one."""

    def __init__(self, id_, secret, token=None):
        self.id, self.secret, self.token = id_, secret, token

    def but(self, **changes):
        """Returns a copy with some parts replaced."""
        parts = {"id_": self.id, "secret": self.secret, "token": self.token, **changes}
        return Keys(**parts)


class Answer:
    """A status, headers and a body, and what can be read out of an error."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self):
        """The body as a JSON object, empty if it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def element(self, name):
        """Returns the text of the first XML element of that name."""
        found = re.search(f"<{name}>(.*?)</{name}>", self.text, re.DOTALL)
        return found and unescape(found[1])

    @property
    def code(self):
        """The error's code, from JSON, XML or, for HEAD, the header that carries the XML."""
        if self.headers.get("x-oss-err"):
            xml = base64.b64decode(self.headers["x-oss-err"])
            return Answer(self.status, {}, xml).code
        return self.json.get("Code") or self.element("Code")

    @property
    def message(self):
        """The error's message."""
        return self.json.get("Message") or self.element("Message")


class Target:
    """One cloud: its endpoints, who calls it, and where objects may be put."""

    def __init__(self, name, sts, oss, region, bucket, prefix, user, role_arn):
        self.name, self.region, self.bucket, self.prefix = name, region, bucket, prefix
        self.sts, self.oss, self.user, self.role_arn = urlsplit(sts), urlsplit(oss), user, role_arn
        # An address has no names below it: the bucket goes into the path.
        self.path_style = bool(re.fullmatch(r"[\d.]+|localhost|\[.*\]", self.oss.hostname))
        # A session, another one, and one that has ended.
        self.session = self.other = self.ended = None

    # --- sending ---

    def _send(self, url, method, host, path, headers, body, chunked=False):
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        extra = {"context": ssl.create_default_context()} if url.scheme == "https" else {}
        connection = kind(host, timeout=30, **extra)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            if chunked:
                headers = {**headers, "Transfer-Encoding": "chunked"}
            elif body or method in ("PUT", "POST"):
                headers = {**headers, "Content-Length": str(len(body))}
            for name, value in headers.items():
                connection.putheader(name, value.encode() if isinstance(value, str) else value)
            connection.endheaders(iter([body]) if chunked else body or None, encode_chunked=chunked)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    # --- STS ---

    def rpc(self, keys, action, params=None, *, method="POST", place="body", age=0, **protocol):
        """Calls STS with an RPC V1 signature. `place` is where the parameters go: `body`, `query`
        or `split` (those of the protocol in the query). `age` is how many seconds ago the request
        is said to be from. A protocol parameter of None is left out."""
        shared = {
            "AccessKeyId": keys.id,
            "Action": action,
            "Format": "JSON",
            "SecurityToken": keys.token,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureNonce": str(uuid.uuid4()),
            "SignatureVersion": "1.0",
            "Timestamp": stamp(age),
            "Version": "2015-04-01",
            **protocol,
        }
        shared = {k: v for k, v in shared.items() if v is not None}
        params = {k: str(v) for k, v in (params or {}).items() if v is not None}
        query = "&".join(f"{pe(k)}={pe(v)}" for k, v in sorted({**shared, **params}.items()))
        to_sign = f"{method}&%2F&{pe(query)}"
        mac = hmac.new(f"{keys.secret}&".encode(), to_sign.encode(), hashlib.sha1).digest()
        shared["Signature"] = base64.b64encode(mac).decode()
        in_query = {"body": {}, "query": {**shared, **params}, "split": shared}[place]
        in_body = {"body": {**shared, **params}, "query": {}, "split": params}[place]
        path = "/?" + urlencode(in_query, quote_via=quote) if in_query else "/"
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if in_body else {}
        body = urlencode(in_body, quote_via=quote).encode()
        answer = self._send(self.sts, method, self.sts.netloc, path, headers, body)
        answer.to_sign = to_sign
        return answer

    def acs3(self, keys, action, params=None, *, body=None, age=0, nonce=None, joint=",", more=()):
        """Calls STS with an ACS3-HMAC-SHA256 signature; parameters in the query, or in a form if
        `body` is true. `joint` separates the fields of Authorization. `more` are further headers
        to sign."""
        form = urlencode(params or {}, quote_via=quote).encode() if body else b""
        query = {} if body else {k: str(v) for k, v in (params or {}).items()}
        query = "&".join(f"{pe(k)}={pe(v)}" for k, v in sorted(query.items()))
        headers = {
            "host": self.sts.netloc,
            "x-acs-action": action,
            "x-acs-content-sha256": hashlib.sha256(form).hexdigest(),
            "x-acs-date": stamp(age),
            "x-acs-signature-nonce": nonce or str(uuid.uuid4()),
            "x-acs-version": "2015-04-01",
            **dict(more),
        }
        if keys.token:
            headers["x-acs-accesskey-id"] = keys.id
            headers["x-acs-security-token"] = keys.token
        if body:
            headers["content-type"] = "application/x-www-form-urlencoded"
        names = ";".join(sorted(headers))
        block = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
        canonical = "\n".join(
            ["POST", "/", query, block, names, headers["x-acs-content-sha256"]]
        )
        to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
        mac = hmac.new(keys.secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
        fields = [f"Credential={keys.id}", f"SignedHeaders={names}", f"Signature={mac}"]
        sent = {k: v for k, v in headers.items() if k != "host"}
        sent["Authorization"] = "ACS3-HMAC-SHA256 " + joint.join(fields)
        path = "/?" + query if query else "/"
        answer = self._send(self.sts, "POST", self.sts.netloc, path, sent, form)
        answer.to_sign, answer.canonical = to_sign, canonical
        return answer

    def assume(self, **params):
        """Calls AssumeRole as the user; returns the answer."""
        given = {"RoleArn": self.role_arn, "RoleSessionName": "stsctl-live", **params}
        return self.rpc(self.user, "AssumeRole", given)

    def assumed(self, duration):
        """Returns a fresh session of so many seconds."""
        answer = self.assume(DurationSeconds=duration)
        if answer.status != 200:
            raise SystemExit(f"{self.name}: AssumeRole: {answer.code}: {answer.message}")
        found = answer.json["Credentials"]
        return Keys(found["AccessKeyId"], found["AccessKeySecret"], found["SecurityToken"])

    # --- OSS ---

    def oss_v4(self, keys, method, key="", query=None, headers=None, body=b"", **how):
        """Sends a request signed by V4 in the header. Of `how`: `age` in seconds; `region`,
        `product` and `day` of the scope; `fields` makes Authorization of the three parts;
        `sha256`; `raw_path` is sent instead of the encoded key; `bucket`; `chunked`."""
        now = moment(how.get("age", 0))
        sha256 = how.get("sha256", "UNSIGNED-PAYLOAD")
        sent = {"x-oss-date": now.strftime("%Y%m%dT%H%M%SZ"), "x-oss-content-sha256": sha256}
        if keys.token:
            sent["x-oss-security-token"] = keys.token
        sent = {k: v for k, v in {**sent, **(headers or {})}.items() if v is not None}
        signature, scope, to_sign = self._v4(keys, method, key, query or {}, sent, now, how)
        fields = how.get("fields", "Credential={credential},Signature={signature}")
        fields = fields.format(credential=f"{keys.id}/{scope}", signature=signature)
        sent["Authorization"] = "OSS4-HMAC-SHA256 " + fields
        answer = self._oss(method, key, query, sent, body, how)
        answer.to_sign = to_sign
        return answer

    def oss_v4_url(self, keys, method, key="", expires=60, headers=None, body=b"", **how):
        """Sends a request signed by V4 in the URL."""
        now = moment(how.get("age", 0))
        scope = f"{now:%Y%m%d}/{self.region}/oss/aliyun_v4_request"
        query = {
            "x-oss-credential": f"{keys.id}/{scope}",
            "x-oss-date": now.strftime("%Y%m%dT%H%M%SZ"),
            "x-oss-expires": str(expires),
            "x-oss-signature-version": "OSS4-HMAC-SHA256",
        }
        if keys.token:
            query["x-oss-security-token"] = keys.token
        signature, _, _ = self._v4(keys, method, key, query, headers or {}, now, how)
        query["x-oss-signature"] = signature
        return self._oss(method, key, query, headers or {}, body, how)

    def _v4(self, keys, method, key, query, headers, now, how):
        day = how.get("day", now.strftime("%Y%m%d"))
        parts = [day, how.get("region", self.region), how.get("product", "oss")]
        scope = "/".join([*parts, "aliyun_v4_request"])
        lower = {k.lower(): v for k, v in headers.items()}
        signed = sorted(
            k for k in lower if k.startswith("x-oss-") or k in ("content-type", "content-md5")
        )
        path = f"/{how.get('bucket', self.bucket)}/{key}"
        pairs = sorted((pe(k), pe(v)) for k, v in query.items())
        canonical = "\n".join(
            [
                method,
                quote(path, safe="/-_.~"),
                "&".join(f"{k}={v}" if v else k for k, v in pairs),
                "".join(f"{k}:{str(lower[k]).strip()}\n" for k in signed),
                "",
                lower.get("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
            ]
        )
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = f"OSS4-HMAC-SHA256\n{now:%Y%m%dT%H%M%SZ}\n{scope}\n{hashed}"
        mac = b"aliyun_v4" + keys.secret.encode()
        for part in [*parts, "aliyun_v4_request", to_sign]:
            mac = hmac.new(mac, part.encode(), hashlib.sha256).digest()
        return mac.hex(), scope, to_sign

    def oss_v1(self, keys, method, key="", headers=None, body=b"", **how):
        """Sends a request signed by V1 in the header. `token` names the header of the token."""
        date = format_datetime(moment(how.get("age", 0)), usegmt=True)
        sent = {"Date": date, **(headers or {})}
        if keys.token:
            sent[how.get("token", "x-oss-security-token")] = keys.token
        to_sign = self._v1_text(method, key, sent, date, "")
        mac = hmac.new(keys.secret.encode(), to_sign.encode(), hashlib.sha1).digest()
        sent["Authorization"] = f"OSS {keys.id}:{base64.b64encode(mac).decode()}"
        answer = self._oss(method, key, None, sent, body, how)
        answer.to_sign = to_sign
        return answer

    def oss_v1_url(self, keys, method, key="", lasts=60, **how):
        """Sends a request signed by V1 in the URL, which lasts so many seconds from now."""
        until = str(int(moment(-lasts).timestamp()))
        extra = f"?security-token={keys.token}" if keys.token else ""
        to_sign = self._v1_text(method, key, {}, until, extra)
        mac = hmac.new(keys.secret.encode(), to_sign.encode(), hashlib.sha1).digest()
        query = {"OSSAccessKeyId": keys.id, "Expires": until}
        query["Signature"] = base64.b64encode(mac).decode()
        if keys.token:
            query["security-token"] = keys.token
        return self._oss(method, key, query, how.get("headers", {}), b"", how)

    def _v1_text(self, method, key, headers, date, extra):
        lower = {k.lower(): str(v).strip() for k, v in headers.items()}
        ours = "".join(f"{k}:{lower[k]}\n" for k in sorted(lower) if k.startswith("x-oss-"))
        md5, kind = lower.get("content-md5", ""), lower.get("content-type", "")
        return f"{method}\n{md5}\n{kind}\n{date}\n{ours}/{self.bucket}/{key}{extra}"

    def anonymous(self, method, key="", query=None, headers=None):
        """Sends a request to OSS that is not signed."""
        return self._oss(method, key, query, headers or {}, b"", {})

    def _oss(self, method, key, query, headers, body, how):
        bucket = how.get("bucket", self.bucket)
        path = "/" + how.get("raw_path", quote(key, safe="/-_.~"))
        host = self.oss.netloc
        if self.path_style:
            path = f"/{bucket}{path}"
        else:
            host = f"{bucket}.{host}"
        pairs = [f"{pe(k)}={pe(v)}" if v else pe(k) for k, v in (query or {}).items()]
        path += "?" + "&".join(pairs) if pairs else ""
        return self._send(self.oss, method, host, path, headers, body, how.get("chunked", False))

    # --- comparing ---

    def neutral(self, text):
        """Replaces what two clouds must differ in by its name."""
        if text is None:
            return None
        known = {self.bucket: "<bucket>", self.prefix: "<prefix>", self.role_arn: "<RoleArn>"}
        known[self.role_arn.split(":")[3]] = "<account>"
        known[self.role_arn.split("/", 1)[1]] = "<role>"
        known[self.region] = "<region>"
        for keys in (self.user, self.session, self.other):
            if keys:
                known[keys.id] = "<AccessKeyId>"
                known[keys.token or keys.id] = "<SecurityToken>"
        for value in sorted(known, key=len, reverse=True):
            text = text.replace(value, known[value])
        for pattern, name in (
            (r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", "<id>"),
            (r"\b[0-9A-F]{24}\b", "<id>"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
            (r"\b\d{8}T\d{6}Z\b", "<time>"),
            (r"\b\d{15,20}\b", "<number>"),
        ):
            text = re.sub(pattern, name, text)
        return text


def moment(age):
    """Returns the instant so many seconds ago."""
    return datetime.now(timezone.utc) - timedelta(seconds=age)


def stamp(age):
    """Returns it in the form of STS."""
    return moment(age).strftime("%Y-%m-%dT%H:%M:%SZ")


def unescape(text):
    """Undoes XML's five entities."""
    for entity, char in (("lt", "<"), ("gt", ">"), ("quot", '"'), ("apos", "'"), ("amp", "&")):
        text = text.replace(f"&{entity};", char)
    return text
