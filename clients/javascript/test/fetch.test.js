import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pass, sleep } from './support/clock.js';
import { openPage, outcome, result, setUp, withStoppedClock } from './support/harness.js';

withStoppedClock();

const API = 'https://auth.example.com/things';

async function signedIn(options) {
  const { service, browser } = setUp();
  const tab = await openPage(browser, options);
  return { service, browser, tab, client: tab.client, things: () => service.callsTo('/things') };
}

test('it adds the token', async () => {
  const { client, service, things } = await signedIn();
  const answer = await result(
    client.fetch(API, { method: 'POST', body: 'hello', headers: { 'x-mine': '1' } }),
  );
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { by: 'ada@example.com', body: 'hello' });
  assert.equal(things()[0].token, await client.token());
  assert.equal(service.refreshes.length, 1);
});

test('it waits for the session to be restored', async () => {
  const { service, browser } = setUp();
  const answer = await result(browser.open().client.fetch(API));
  assert.equal(answer.status, 200);
  assert.equal(service.refreshes.length, 1);
});

test('without a session it asks as nobody', async () => {
  const { service, browser } = setUp({ signedIn: false });
  const { client } = await openPage(browser);
  const answer = await result(client.fetch(API));
  assert.equal(answer.status, 401);
  assert.equal(service.callsTo('/things')[0].token, null);
  assert.equal(service.refreshes.length, 1);
});

test('it gives the token to the page, the service and the APIs that were named, and to nobody else', async () => {
  const { client, things } = await signedIn({
    apis: ['https://api.example.com', 'https://api.example.com:8443/v1'],
  });
  const trusted = [
    '/things',
    API,
    new URL(API),
    new Request(API),
    'https://api.example.com/things',
    'https://api.example.com:8443/things',
  ];
  for (const url of trusted) assert.equal((await result(client.fetch(url))).status, 200);
  assert.equal(things().length, trusted.length);
  const others = [
    'http://auth.example.com/things',
    'https://auth.example.com.evil.com/things',
    'https://auth.example.com:8443/',
    '//evil.com',
    new Request('https://evil.com'),
  ];
  for (const url of others)
    await assert.rejects(client.fetch(url), { name: 'TypeError', message: /may not see access tokens/ });
  assert.equal(things().length, trusted.length);
});

/** Refusals of a token that another one may get past. */
const REFUSALS = [
  { code: 'TOKEN_EXPIRED' },
  { code: 'TOKEN_INVALID' },
  { code: 'SESSION_REVOKED' },
  { headers: { 'www-authenticate': 'Bearer realm="api", error="invalid_token"' }, text: '' },
  { headers: { 'www-authenticate': 'Bearer error=invalid_token' }, text: '<h1>401</h1>' },
];

test('a token that is refused is replaced, and the request repeated', async () => {
  for (const refusal of REFUSALS) {
    const { client, service, things } = await signedIn();
    service.failures.push({ path: '/things', status: 401, ...refusal });
    const answer = await result(client.fetch(API, { method: 'PUT', body: 'hello' }));
    assert.equal(answer.status, 200, JSON.stringify(refusal));
    assert.equal(service.refreshes.length, 2);
    assert.deepEqual(
      things().map(({ body, method }) => [method, body]),
      [
        ['PUT', 'hello'],
        ['PUT', 'hello'],
      ],
    );
    assert.notEqual(things()[0].token, things()[1].token);
  }
});

test('it is repeated once', async () => {
  const { client, service, things } = await signedIn();
  for (let i = 0; i < 3; i++) service.failNext('/things', 401, 'TOKEN_EXPIRED');
  const answer = await result(client.fetch(API));
  assert.deepEqual([answer.status, (await answer.json()).code], [401, 'TOKEN_EXPIRED']);
  assert.equal(things().length, 2);
  assert.equal(service.refreshes.length, 2);
});

test('a 401 that is not about the token, and any other failure, is the answer', async () => {
  const { client, service, things } = await signedIn();
  const failures = [
    [401, 'INVALID_CREDENTIALS'],
    [401, undefined],
    [403, 'FORBIDDEN'],
    [500, 'TOKEN_EXPIRED'],
    [503, 'UNAVAILABLE'],
  ];
  for (const [status, code] of failures) {
    service.failNext('/things', status, code);
    assert.equal((await result(client.fetch(API))).status, status);
  }
  assert.equal(things().length, failures.length);
  assert.equal(service.refreshes.length, 1);
});

test('bodies that can be read again are sent again', async () => {
  const form = new FormData();
  form.set('a', 'b');
  const bodies = {
    string: [API, { method: 'POST', body: 'text' }, 'text'],
    bytes: [API, { method: 'POST', body: new TextEncoder().encode('bytes') }, 'bytes'],
    blob: [API, { method: 'POST', body: new Blob(['blob']) }, 'blob'],
    query: [API, { method: 'POST', body: new URLSearchParams({ a: 'b' }) }, 'a=b'],
    form: [API, { method: 'POST', body: form }, /name="a"/],
    request: [
      new Request(API, { method: 'POST', body: 'request', headers: { 'x-mine': '1' } }),
      undefined,
      'request',
    ],
  };
  for (const [kind, [input, init, expected]] of Object.entries(bodies)) {
    const { client, service, things } = await signedIn();
    service.failNext('/things', 401, 'TOKEN_EXPIRED');
    assert.equal((await result(client.fetch(input, init))).status, 200, kind);
    assert.equal(things().length, 2);
    for (const { body } of things())
      assert.match(body, expected instanceof RegExp ? expected : new RegExp(`^${expected}$`));
  }
});

test('a stream is not', async () => {
  const { client, service, things } = await signedIn();
  service.failNext('/things', 401, 'TOKEN_EXPIRED');
  const body = new Blob(['stream']).stream();
  const answer = await result(client.fetch(API, { method: 'POST', body, duplex: 'half' }));
  assert.equal(answer.status, 401);
  assert.equal(things().length, 1);
  // But the token is replaced for the next one.
  assert.equal(service.refreshes.length, 2);
});

test('a token that has expired is not even tried', async () => {
  const { client, service, things } = await signedIn();
  sleep(901_000);
  const answer = await result(client.fetch(API));
  assert.equal(answer.status, 200);
  assert.equal(things().length, 1);
  assert.equal(service.refreshes.length, 2);
});

test('fifty calls with a token that has expired are one refresh', async () => {
  const { client, service, things } = await signedIn();
  sleep(901_000);
  const calls = Array.from({ length: 50 }, () => outcome(client.fetch(API)));
  await pass(200);
  assert.ok(calls.every(({ value }) => value.status === 200));
  assert.equal(things().length, 50);
  assert.equal(service.refreshes.length, 2);
});

test('fifty calls whose token is refused are one refresh', async () => {
  const { client, service, things } = await signedIn();
  service.access.clear();
  const calls = Array.from({ length: 50 }, () => outcome(client.fetch(API)));
  await pass(200);
  assert.ok(calls.every(({ value }) => value.status === 200));
  assert.equal(things().length, 100);
  assert.equal(service.refreshes.length, 2);
});

test('a session that has ended meanwhile leaves the refusal', async () => {
  const { client, service } = await signedIn();
  service.endSessions();
  const answer = await result(client.fetch(API));
  assert.equal(answer.status, 401);
  assert.equal(client.session.state, 'signedOut');
});

test('where it cannot refresh, it says why, and at once while it waits to try again', async () => {
  const { client, service, browser } = await signedIn();
  browser.network = ({ path }) => ({ up: 5, down: 5, lost: path === '/things' ? undefined : 'request' });
  service.access.clear();
  await assert.rejects(result(client.fetch(API)), { code: 'UNREACHABLE' });
  const refreshes = service.refreshes.length;
  for (let i = 0; i < 100; i++) await assert.rejects(client.fetch(API), { code: 'UNREACHABLE' });
  assert.equal(service.refreshes.length, refreshes);
  assert.equal(client.session.state, 'signedIn');
});

test('but a call does not wait as long as the refreshes do by themselves', async () => {
  const { client, browser, things } = await signedIn();
  browser.network = () => ({ up: 5, down: 5, lost: 'request' });
  await pass(3600_000);
  assert.equal(client.session.error.code, 'UNREACHABLE');
  browser.network = () => ({ up: 5, down: 5, lost: undefined });
  let tries = 0;
  for (; client.session.error && tries < 10; tries++) {
    outcome(client.fetch(API));
    await pass(1_000);
  }
  assert.ok(tries <= 6, `${tries}`);
  assert.equal(things()[0].status, 200);
});

test('a call says what went wrong', async () => {
  const { client, service } = await signedIn();
  const problem = {
    code: 'VALIDATION_FAILED',
    detail: 'Wrong.',
    requestId: 'r1',
    errors: [{ field: 'name', code: 'TOO_LONG', message: 'Too long.' }],
  };
  service.failures.push({
    path: '/auth/me',
    status: 400,
    text: JSON.stringify(problem),
    headers: { 'retry-after': '7' },
  });
  const expected = {
    name: 'SymbolonError',
    code: problem.code,
    message: problem.detail,
    status: 400,
    errors: problem.errors,
    requestId: 'r1',
    retryAfter: 7,
  };
  await assert.rejects(result(client.rename('x')), expected);
  service.failures.push({ path: '/auth/me', status: 502, text: '<h1>Bad gateway</h1>' });
  await assert.rejects(result(client.me()), { code: 'HTTP_502', status: 502, errors: [], retryAfter: null });
});

test('a call that gets no answer is given up', async () => {
  const { client, browser } = await signedIn();
  browser.network = () => ({ up: 3600_000, down: 5, lost: undefined });
  const call = outcome(client.me());
  await pass(29_000);
  assert.ok(!call.isDone);
  await pass(2_000);
  assert.equal(call.error.code, 'UNREACHABLE');
});

test('what the service says of the user, the page and the other tabs know', async () => {
  const { client, service, browser } = await signedIn();
  const other = await openPage(browser);
  service.user('ada@example.com', { name: 'Ada' });
  await result(client.me());
  assert.equal(client.session.user.name, 'Ada');
  assert.equal(other.client.session.user.name, 'Ada');
  assert.equal(other.seen.length, 2);
});

test('an API that refuses every token does not make each call a refresh', async () => {
  const { client, service } = await signedIn();
  for (let i = 0; i < 1_000; i++) service.failNext('/things', 401, 'TOKEN_INVALID');
  for (let i = 0; i < 60; i++) {
    outcome(client.fetch(API));
    await pass(1_000);
  }
  assert.ok(service.refreshes.length <= 3, `${service.refreshes.length}`);
});

test('neither the base of the page nor an object of another window takes the token away', async () => {
  const { client, tab, things } = await signedIn();
  tab.document.baseURI = 'https://evil.example/';
  await assert.rejects(client.fetch('things'), { name: 'TypeError' });
  const foreign = { url: 'https://evil.example/things', clone: () => foreign };
  await assert.rejects(client.fetch(foreign), { name: 'TypeError' });
  tab.document.baseURI = 'https://auth.example.com/';
  assert.equal((await result(client.fetch('things'))).status, 200);
  assert.equal(things().length, 1);
});

test('headers and method are handed on, of a Request too', async () => {
  const { client, service } = await signedIn();
  const seen = [];
  const { handle } = service;
  service.handle = (request) => {
    seen.push([request.method, request.headers.get('x-mine'), request.headers.get('authorization')]);
    return handle.call(service, request);
  };
  const init = { method: 'PATCH', headers: { 'x-mine': '1' } };
  await result(client.fetch(API, init));
  await result(client.fetch(new Request(API, init)));
  const bearer = `Bearer ${await client.token()}`;
  assert.deepEqual(seen, [
    ['PATCH', '1', bearer],
    ['PATCH', '1', bearer],
  ]);
});

test('each call asks for what it is called', async () => {
  const { client, service } = await signedIn();
  const calls = [
    [() => client.me(), 'GET', '/auth/me'],
    [() => client.rename('Ada'), 'PATCH', '/auth/me', { name: 'Ada' }],
    [() => client.endSession('a/b'), 'DELETE', '/auth/sessions/a%2Fb'],
    [() => client.endOtherSessions(), 'DELETE', '/auth/sessions?keep=current'],
    [
      () => client.changePassword({ currentPassword: 'a', newPassword: 'b' }),
      'POST',
      '/auth/change-password',
      { currentPassword: 'a', newPassword: 'b' },
    ],
    [
      () => client.changeEmail({ newEmail: 'a', password: 'b' }),
      'POST',
      '/auth/change-email',
      { newEmail: 'a', password: 'b' },
    ],
    [() => client.resendVerification(), 'POST', '/auth/resend-verification'],
    [() => client.forgotPassword('a'), 'POST', '/auth/forgot-password', { email: 'a' }],
    [
      () => client.resetPassword({ token: 'a', newPassword: 'b' }),
      'POST',
      '/auth/reset-password',
      { token: 'a', newPassword: 'b' },
    ],
    [() => client.call('POST', '/x', { a: 1 }), 'POST', '/x', { a: 1 }],
  ];
  for (const [call, method, path, body] of calls) {
    await result(call());
    const last = service.calls.at(-1);
    assert.deepEqual([last.method, last.path, last.body && JSON.parse(last.body)], [method, path, body]);
    assert.equal(last.contentType, body ? 'application/json' : null);
  }
  service.failures.push({ path: '/auth/sessions', status: 200, text: '{"sessions":[{"id":"x"}]}' });
  assert.deepEqual(await result(client.sessions()), [{ id: 'x' }]);
  await result(client.verifyEmail('a'));
  assert.deepEqual(
    service.calls.slice(-2).map(({ path }) => path),
    ['/auth/verify-email', '/auth/me'],
  );
});

test('who does not listen any more hears nothing', async () => {
  const { client } = await signedIn();
  const heard = [];
  const end = client.onChange(({ state }) => heard.push(state));
  end();
  await result(client.logout());
  assert.deepEqual(heard, []);
  assert.ok(Object.isFrozen(client.session));
});
