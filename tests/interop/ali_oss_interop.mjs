#!/usr/bin/env node
// Assumes the sandbox's role with ali-oss's STS client (RPC V1), then puts, gets, lists and deletes
// with its OSS client, signing by V4 and by V1, in headers and in URLs.
//
// `ali_oss_interop.mjs expired` is for a sandbox whose sessions last a second.
// `$NODE_PATH` names the node_modules that holds ali-oss.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setDefaultResultOrder } from 'node:dns';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';

const require = createRequire(import.meta.url);
const OSS = require('ali-oss');

// The sandbox listens on 127.0.0.1 alone, whatever else localhost may be.
setDefaultResultOrder('ipv4first');

// Its advice to refresh tokens: these clients do not outlive theirs.
console.warn = () => {};

const env = process.env;
const BUCKET = 'demo-bucket';
const KEYS = JSON.parse(readFileSync(new URL('keys.json', import.meta.url), 'utf8'));
const MADE_UP_TOKEN = `CAIS${'A'.repeat(400)}+/==`;

let passed = 0;
let failed = 0;

async function check(name, block) {
  try {
    await block();
    passed += 1;
  } catch (error) {
    failed += 1;
    console.log(`FAILED ali-oss: ${name}: ${error.code ?? error.name}: ${error.message}`);
  }
}

async function refused(name, code, call) {
  await check(`${name} is refused`, async () => {
    await assert.rejects(call, error => {
      assert.equal(error.code, code);
      return true;
    });
  });
}

async function assume(accessKeySecret = env.ALIBABA_CLOUD_ACCESS_KEY_SECRET) {
  const sts = new OSS.STS({
    accessKeyId: env.ALIBABA_CLOUD_ACCESS_KEY_ID,
    accessKeySecret,
    endpoint: env.STSCTL_STS_ENDPOINT,
  });
  const { credentials } = await sts.assumeRole(env.ALIBABA_CLOUD_ROLE_ARN, null, 900, 'interop');
  return {
    accessKeyId: credentials.AccessKeyId,
    accessKeySecret: credentials.AccessKeySecret,
    stsToken: credentials.SecurityToken,
  };
}

// Where the bucket goes. For an address and a region ali-oss sends the Host that the region's
// endpoint would have; for a name it is told to put the bucket into the path.
const STYLES = {
  host: { endpoint: env.STSCTL_OSS_ENDPOINT },
  path: { endpoint: env.STSCTL_OSS_ENDPOINT.replace('127.0.0.1', 'localhost'), sldEnable: true },
};

function client(version, credentials, style = 'path') {
  return new OSS({
    ...credentials,
    ...STYLES[style],
    authorizationV4: version === 'v4',
    bucket: BUCKET,
    region: `oss-${env.ALIBABA_CLOUD_REGION_ID}`,
  });
}

function signedUrl(oss, version, method, key) {
  return version === 'v4'
    ? oss.signatureUrlV4(method, 60, {}, key)
    : oss.signatureUrl(key, { method, expires: 60 });
}

async function works(version, style) {
  const oss = client(version, await assume(), style);
  const prefix = `ali-oss-${version}-${style}/`;
  const title = `${version}, bucket in the ${style}`;
  for (const name of KEYS) {
    const key = prefix + name;
    const content = Buffer.concat([randomBytes(200_000), Buffer.from(key)]);
    await check(`${title}: put and get ${name}`, async () => {
      await oss.put(key, content, { mime: 'text/x-interop', meta: { kind: 'interop' } });
      const got = await oss.get(key);
      assert.ok(got.content.equals(content));
      assert.equal(got.res.headers['content-type'], 'text/x-interop');
      const head = await oss.head(key);
      assert.deepEqual(head.meta, { kind: 'interop' });
    });
    await check(`${title}: range ${name}`, async () => {
      const got = await oss.get(key, { headers: { Range: 'bytes=3-9' } });
      assert.ok(got.content.equals(content.subarray(3, 10)));
    });
    if (style === 'path') {
      // In the other style ali-oss would write the address alone, without the bucket.
      await check(`${title}: URL ${name}`, async () => {
        const got = await fetch(await signedUrl(oss, version, 'GET', key));
        assert.equal(got.status, 200);
        assert.ok(Buffer.from(await got.arrayBuffer()).equals(content));
      });
    }
  }
  await check(`${title}: list`, async () => {
    const listed = [];
    let token;
    do {
      const page = await oss.listV2({ prefix, 'max-keys': 3, 'continuation-token': token });
      listed.push(...(page.objects ?? []).map(object => object.name));
      token = page.nextContinuationToken;
    } while (token);
    const expected = KEYS.map(name => Buffer.from(prefix + name)).sort(Buffer.compare);
    assert.deepEqual(listed, expected.map(String));
  });
  for (const name of KEYS) {
    await check(`${title}: delete ${name}`, async () => {
      assert.equal((await oss.delete(prefix + name)).res.status, 204);
    });
  }
  await refused(`${title}: getting what is not there`, 'NoSuchKey', () => oss.get(prefix + KEYS[0]));
}

async function refuses(version) {
  const [good, other] = [await assume(), await assume()];
  const wrong = `wrong${good.accessKeySecret.slice(5)}`;
  for (const [name, code, change] of [
    ['a wrong secret', 'SignatureDoesNotMatch', { accessKeySecret: wrong }],
    ['a made-up token', 'InvalidSecurityToken', { stsToken: MADE_UP_TOKEN }],
    ["another session's token", 'AccessKeyIdAndSecurityTokenNotMatch', { stsToken: other.stsToken }],
    ['an unknown AccessKeyId', 'InvalidAccessKeyId', { accessKeyId: 'STS.unknown' }],
  ]) {
    for (const [operation, call] of operations(client(version, { ...good, ...change }))) {
      await refused(`${version}: ${operation} with ${name}`, code, call);
    }
  }
}

async function expired(version) {
  const oss = client(version, await assume());
  await check(`${version}: a session that has ended is refused`, async () => {
    let error;
    for (let tries = 0; !error && tries < 600; tries += 1) {
      error = await oss.listV2({}).then(() => pause(50), e => e);
    }
    assert.equal(error?.code, 'SecurityTokenExpired');
  });
  for (const [operation, call] of operations(oss)) {
    await refused(`${version}: ${operation} after the session's end`, 'SecurityTokenExpired', call);
  }
}

function operations(oss) {
  return [
    ['put', () => oss.put('refused', Buffer.from('x'))],
    ['get', () => oss.get('refused')],
    ['list', () => oss.listV2({})],
    ['delete', () => oss.delete('refused')],
  ];
}

for (const version of ['v4', 'v1']) {
  if (process.argv[2] === 'expired') {
    await expired(version);
  } else {
    await works(version, 'host');
    await works(version, 'path');
    await refuses(version);
  }
}
if (process.argv[2] !== 'expired') {
  await refused('AssumeRole with a wrong secret', 'SignatureDoesNotMatch', () => assume('wrong'));
}
console.log(`ali-oss: ${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
