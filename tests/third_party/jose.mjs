// A service that verifies access tokens with jose, as its documentation shows it.
//
// ISSUER, AUDIENCE and ALGORITHMS come from the environment; the place of the keys too (JWKS_URL), or
// else from the issuer's metadata.

import { webcrypto } from 'node:crypto';
import { createServer } from 'node:http';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

// Node 18 has it by import only.
globalThis.crypto ??= webcrypto;

const { ISSUER: issuer, AUDIENCE: audience, ALGORITHMS, JWKS_URL } = process.env;

// RFC 8414, 3.3: what says it is another issuer must not be used.
async function jwksUrlOf(issuer) {
  const answer = await fetch(`${issuer}/.well-known/oauth-authorization-server`);
  const metadata = await answer.json();
  if (metadata.issuer !== issuer) throw new Error(`that is ${metadata.issuer}, not ${issuer}`);
  return metadata.jwks_uri;
}

const keys = createRemoteJWKSet(new URL(JWKS_URL ?? (await jwksUrlOf(issuer))), {
  // After it has fetched the keys, jose does not fetch them again for a `kid` it does not know until
  // this long has passed. The 30 s that it is by itself suit KEY_ACTIVATION as it is by itself, 10 min,
  // for which a new key is published before it signs. The tests have a KEY_ACTIVATION of seconds. With
  // `keys generate --now` tokens may be refused for as long as this: who means to use it sets it short.
  cooldownDuration: 1000,
});

async function verify(token) {
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience,
    algorithms: ALGORITHMS.split(','),
    typ: 'at+jwt',
    requiredClaims: ['exp', 'sub'],
  });
  return payload.sub;
}

const server = createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  try {
    answer(200, { sub: await verify(token) });
  } catch (error) {
    answer(error instanceof errors.JOSEError ? 401 : 503, { reason: String(error) });
  }
});
server.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`));
