/** Whatever happens to tabs and network, nobody is logged out. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pass, sleep } from './support/clock.js';
import { outcome, setUp, withStoppedClock } from './support/harness.js';

withStoppedClock();

const ROUNDS = process.env.SYMBOLON_TEST_ROUNDS === 'long' ? 1_000 : 25;
const STEPS = 60;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function chance(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A browser and what may happen to it. Its messages are late or get lost; they overtake each other where
 * tabs take turns. Where they do not, the rule has a gap that docs/rotation.md tells of.
 */
async function live(seed, { hasLocks, losesAnswers }) {
  const random = chance(seed);
  Math.random = chance(-seed);
  const pick = (...choices) => choices[Math.floor(random() * choices.length)];
  const { service, browser } = setUp();
  Object.assign(browser, { hasLocks, hasChannels: random() < 0.7 });
  const delay = () => (hasLocks ? random() * 1_500 : 500);
  let isDown = false;
  browser.network = () => ({
    up: delay(),
    down: delay(),
    lost: isDown ? 'request' : losesAnswers && random() < 0.3 ? pick('request', 'answer') : undefined,
  });
  let tabs = [browser.open()];
  for (let step = 0; step < STEPS; step++) {
    const tab = pick(...tabs);
    const act = {
      open: () => tabs.length < 6 && tabs.push(browser.open()),
      // Closed at any moment, or opened anew.
      close: () => {
        tab.kill();
        tabs = tabs.filter((other) => other !== tab);
        if (tabs.length === 0 || random() < 0.5) tabs.push(browser.open());
      },
      together: () => tabs.forEach(({ client }) => outcome(client.refresh())),
      call: () => outcome(tab.client.fetch('/things', { method: 'POST', body: 'x' })),
      refuse: () => service.access.clear(),
      fail: () =>
        service.failNext(
          '/auth/refresh-token',
          ...pick([503, 'UNAVAILABLE'], [429, 'RATE_LIMITED'], [502, undefined]),
        ),
      down: () => (isDown = !isDown),
      online: () => tab.dispatchEvent(new Event('online')),
      look: () => tab.show(),
      sleep: () => sleep(random() * 3600_000),
    };
    act[pick(...Object.keys(act))]();
    await pass(pick(1, 100, 1_000, 10_000, 1000_000) * random());
    const codes = service.refreshes.filter(({ status }) => status === 401).map(({ code }) => code);
    assert.deepEqual(codes, [], `seed ${seed}, step ${step}`);
    assert.ok(
      tabs.every(({ client }) => client.session.state !== 'signedOut'),
      `seed ${seed}, step ${step}`,
    );
  }
  isDown = false;
  service.failures = [];
  browser.network = () => ({ up: 5, down: 5, lost: undefined });
  await pass(200_000);
  for (const { client } of tabs) {
    assert.equal(client.session.state, 'signedIn', `seed ${seed}`);
    client.close();
  }
}

for (const [who, hasLocks] of [
  ['tabs that take turns', true],
  ['tabs that do not', false],
]) {
  test(`${who} are not logged out by answers that are late`, async () => {
    for (let seed = 1; seed <= ROUNDS; seed++) await live(seed, { hasLocks, losesAnswers: false });
  });

  test(`${who} are not logged out by answers that are lost`, async () => {
    for (let seed = 1; seed <= ROUNDS; seed++) await live(seed, { hasLocks, losesAnswers: true });
  });
}

test('without the key they would', async () => {
  const { service, browser } = setUp();
  browser.mayStore = false;
  let requests = 0;
  browser.network = () => ({ up: 5, down: 5, lost: requests++ % 2 ? 'answer' : undefined });
  // Nowhere to keep it, and reloaded after each answer, whether that has come or not.
  for (let load = 0; load < 3; load++) {
    const tab = browser.open();
    await pass(900);
    tab.kill();
    await pass(60_000);
  }
  assert.deepEqual(
    service.refreshes.map(({ code }) => code),
    [undefined, undefined, 'REFRESH_TOKEN_REUSED'],
  );
});
