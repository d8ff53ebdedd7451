import { afterEach, beforeEach } from 'node:test';

import { Browser } from './browser.js';
import { pass, settle, startClock, stopClock } from './clock.js';
import { Service } from './service.js';

/** Has every test of a file begin with a stopped clock. */
export function withStoppedClock() {
  beforeEach(() => stopClock());
  afterEach(async () => {
    await settle();
    startClock();
  });
}

/** A service, and a browser that is signed in there unless told otherwise. */
export function setUp({ signedIn = true } = {}) {
  const service = new Service();
  const browser = new Browser(service);
  if (signedIn) browser.signedIn();
  return { service, browser };
}

/** A page that knows who is signed in. */
export async function openPage(browser, options) {
  const tab = browser.open(options);
  await pass(100);
  return tab;
}

/** What became of a promise, whenever that was. */
export function outcome(promise) {
  const outcome = { value: undefined, error: undefined, isDone: false };
  promise.then(
    (value) => Object.assign(outcome, { value, isDone: true }),
    (error) => Object.assign(outcome, { error, isDone: true }),
  );
  return outcome;
}
