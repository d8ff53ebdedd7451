/** Real browsers. */

import { after, before, test } from 'node:test';

import { chromium, firefox } from 'playwright-core';

import { isLong } from './rounds.js';

const LAUNCH = {
  chromium: () =>
    chromium.launch({
      executablePath: '/usr/bin/chromium',
      // Root may not use the sandbox; what it shows here is our own.
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--disable-component-update',
        '--disable-sync',
      ],
    }),
  // The browser as it is installed, by WebDriver BiDi.
  firefox: () => firefox.launch({ executablePath: '/usr/bin/firefox-esr', channel: 'moz-firefox' }),
};

export const BROWSERS = /** @type {(keyof typeof LAUNCH)[]} */ (Object.keys(LAUNCH));

/**
 * Starts a browser.
 *
 * @param {keyof typeof LAUNCH} name
 */
export function launch(name) {
  return LAUNCH[name]();
}

/** @type {Map<string, import('playwright-core').Browser>} */
const running = new Map();

/** Starts the browsers of a test file, for as long as its tests run. */
export function withBrowsers() {
  before(async () => {
    for (const name of BROWSERS) running.set(name, await launch(name));
  });
  after(async () => {
    for (const browser of running.values()) await browser.close();
  });
}

/**
 * A test that runs in each of these browsers, with a profile of its own.
 *
 * @param {string} name
 * @param {(keyof typeof LAUNCH)[]} browsers
 * @param {(t: import('node:test').TestContext, context: import('playwright-core').BrowserContext, browser: string)
 *   => Promise<void>} run
 */
export function inBrowsers(name, browsers, run) {
  for (const browser of browsers) {
    test(`${name} (${browser})`, { timeout: isLong ? 3600_000 : 180_000 }, async (t) => {
      const context = await running.get(browser)?.newContext();
      if (!context) throw new Error(`${browser} is not running`);
      context.setDefaultTimeout(20_000);
      try {
        await run(t, context, browser);
      } finally {
        await context.close();
      }
    });
  }
}

/**
 * What the jar holds for the service.
 *
 * @param {import('playwright-core').BrowserContext} context
 * @param {{ url: string }} service
 */
export async function refreshCookies(context, service) {
  const cookies = await context.cookies(`${service.url}/auth/refresh-token`);
  return cookies.map(({ name, value }) => {
    const [, claims = ''] = value.split('.');
    const { sid, gen } = JSON.parse(Buffer.from(claims, 'base64url').toString() || '{}');
    return { name, sid, gen };
  });
}
