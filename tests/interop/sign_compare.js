#!/usr/bin/env node
// Signs random OSS requests with the official Node SDK, ali-oss, and with stsctl's library.
//
// Usage: sign_compare.py - | sign_compare.js SIGN_INTEROP
//
// SIGN_INTEROP is the binary of `cargo build --example sign-interop` (or $SIGN_INTEROP). Needs the
// package of package.json; NODE_PATH names its node_modules. Prints a count for each scheme; exits
// 1 if any signature differs.
//
// ali-oss sorts the V4 query by the locale instead of by bytes, and so signs some names in an
// order that the service does not have. Those requests are counted as passed over.
'use strict';

const assert = require('node:assert');
const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const signer = require('ali-oss/lib/common/signUtils');

// in V1 the caller of the SDK's signer picks the sub-resources; the others that may come are these
const UNSIGNED = ['prefix', 'marker', 'max-keys', 'list-type'];

const SIGNERS = {
  'oss-v1-header': signV1Header,
  'oss-v1-url': signV1Url,
  'oss-v4-header': signV4Header,
  'oss-v4-url': signV4Url,
};

function signV1Header(request) {
  const headers = { ...Object.fromEntries(request.headers), ...token(request, 'x-oss-security-token') };
  const given = request.headers.find(([name]) => name.toLowerCase() === 'x-oss-date');
  const date = given ? given[1] : new Date(request.timestamp).toUTCString();
  const text = signer.buildCanonicalString(
    request.method,
    resource(request),
    { headers, parameters: subResources(request) },
    date,
  );
  return signer.authorization(request.access_key_id, request.access_key_secret, text);
}

function signV1Url(request) {
  const expires = Date.parse(request.timestamp) / 1000 + request.expires;
  const options = { method: request.method, subResource: subResources(request) };
  for (const [name, value] of request.headers) options[name.toLowerCase()] = value;
  Object.assign(options, token(request, 'security-token'));
  return signer._signatureForURL(request.access_key_secret, options, resource(request), expires).Signature;
}

function signV4Header(request) {
  const headers = {
    ...Object.fromEntries(request.headers.map(([name, value]) => [name.toLowerCase(), value])),
    'x-oss-date': compactDate(request),
    'x-oss-content-sha256': 'UNSIGNED-PAYLOAD',
    ...token(request, 'x-oss-security-token'),
  };
  return authorizationV4(request, headers, queries(request));
}

function signV4Url(request) {
  const day = compactDate(request).split('T')[0];
  const additional = signer.fixAdditionalHeaders(request.additional_headers);
  const query = {
    ...queries(request),
    'x-oss-signature-version': 'OSS4-HMAC-SHA256',
    'x-oss-credential': signer.getCredential(day, request.region, request.access_key_id),
    'x-oss-date': compactDate(request),
    'x-oss-expires': request.expires,
    ...token(request, 'x-oss-security-token'),
    ...(additional.length > 0 && { 'x-oss-additional-headers': additional.join(';') }),
  };
  const authorization = authorizationV4(request, Object.fromEntries(request.headers), query);
  return authorization.split('Signature=')[1];
}

function authorizationV4(request, headers, query) {
  const { access_key_id: id, access_key_secret: secret, region, method, bucket, key } = request;
  const parts = { headers, queries: query };
  return signer.authorizationV4(id, secret, region, method, parts, bucket, key, request.additional_headers);
}

function resource({ bucket, key }) {
  return bucket === null ? '/' : `/${bucket}/${key ?? ''}`;
}

function token(request, name) {
  return request.security_token === null ? {} : { [name]: request.security_token };
}

function subResources(request) {
  return Object.fromEntries(request.query.filter(([name]) => !UNSIGNED.includes(name)));
}

// null is the SDK's way to say that a parameter has no value
function queries(request) {
  return Object.fromEntries(request.query.map(([name, value]) => [name, value === '' ? null : value]));
}

function compactDate(request) {
  return request.timestamp.replace(/[-:]/g, '');
}

function sortsAsBytesDo(request) {
  const names = request.query.map(([name]) => name);
  names.push('x-oss-additional-headers', 'x-oss-credential', 'x-oss-date', 'x-oss-expires');
  names.push('x-oss-security-token', 'x-oss-signature-version');
  const encoded = (name) => Buffer.from(signerEncoded(name));
  const byBytes = [...names].sort((a, b) => Buffer.compare(encoded(a), encoded(b)));
  const byLocale = [...names].sort((a, b) => a.localeCompare(b));
  return byBytes.join('\n') === byLocale.join('\n');
}

function signerEncoded(name) {
  return encodeURIComponent(name).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function main() {
  const binary = process.argv[2] ?? process.env.SIGN_INTEROP;
  assert(binary, 'usage: sign_compare.py - | sign_compare.js SIGN_INTEROP');
  const lines = readFileSync(0, 'utf8').split('\n').filter(Boolean);
  const output = execFileSync(binary, { input: lines.join('\n'), encoding: 'utf8', maxBuffer: 1 << 28 });
  const answers = output.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  assert.strictEqual(answers.length, lines.length);

  const counts = {};
  for (const scheme of Object.keys(SIGNERS)) counts[scheme] = { agree: 0, differ: 0, passed: 0 };
  lines.forEach((line, index) => {
    const request = JSON.parse(line);
    const sign = SIGNERS[request.scheme];
    if (!sign) return;
    const count = counts[request.scheme];
    if (request.scheme.startsWith('oss-v4') && !sortsAsBytesDo(request)) {
      count.passed += 1;
      return;
    }
    const added = answers[index];
    const ours = added.Authorization ?? added.Signature ?? added['x-oss-signature'];
    const theirs = sign(request);
    if (ours === theirs) {
      count.agree += 1;
    } else {
      count.differ += 1;
      console.error(`differs from ali-oss: ${line}\nstsctl: ${ours}\nali-oss: ${theirs}`);
    }
  });
  for (const [scheme, { agree, differ, passed }] of Object.entries(counts)) {
    const note = passed > 0 ? `, ${passed} passed over` : '';
    console.log(`${scheme.padEnd(14)} ali-oss ${agree} agree ${differ} differ${note}`);
    if (differ > 0 || agree === 0) process.exitCode = 1;
  }
}

main();
