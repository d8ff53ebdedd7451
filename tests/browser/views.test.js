/** What every view looks like to those who cannot see it well, and on a small screen. */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { launch } from './support/browsers.js';
import { isLong } from './support/rounds.js';
import { PASSWORD } from './support/service.js';
import { ADMIN, services } from './support/views.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 360, height: 740 };

/** @type {['light' | 'dark', typeof WIDE][]} */
const SCREENS = [
  ['light', WIDE],
  ['dark', NARROW],
  ...(isLong
    ? /** @type {['light' | 'dark', typeof WIDE][]} */ ([
        ['dark', WIDE],
        ['light', NARROW],
      ])
    : []),
];

/** Where to put a picture of each view, if one is wanted. */
const { SCREENSHOTS } = process.env;

test('every view is accessible and fits the screen', { timeout: 1200_000 }, async (t) => {
  if (SCREENSHOTS) mkdirSync(SCREENSHOTS, { recursive: true });
  const browser = await launch('chromium');
  t.after(() => browser.close());
  let seen = 0;
  for (const { service, email, views } of await services(t)) {
    for (const [colorScheme, viewport] of SCREENS) {
      for (const by of /** @type {const} */ (['nobody', 'user', 'admin'])) {
        const own = views.filter((view) => (view.by ?? 'nobody') === by);
        if (own.length === 0) continue;
        // axe itself is a script that the pages' policy would not let in.
        const context = await browser.newContext({ bypassCSP: true, colorScheme, viewport });
        if (by !== 'nobody') {
          const account = by === 'admin' ? ADMIN : { email, password: PASSWORD };
          const answer = await context.request.post(`${service.url}/auth/login`, { data: account });
          assert.equal(answer.status(), 200);
        }
        for (const view of own) {
          const page = await context.newPage();
          await page.goto(service.url + view.path);
          await page
            .getByRole('heading', { level: 1 })
            .filter({ hasNotText: /^Symbolon$/ })
            .waitFor();
          await page.waitForFunction(isLoaded);
          await view.then?.(page);
          const name = `${view.name} ${colorScheme} ${viewport.width}`;
          if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, fullPage: true });
          assert.deepEqual(await violations(page), [], name);
          const width = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(width <= viewport.width, `${name} is ${width} pixels wide`);
          await page.close();
          seen++;
        }
        await context.close();
      }
    }
  }
  t.diagnostic(`${seen} views without a violation`);
});

function isLoaded() {
  return !document.querySelector('main .late, main [aria-busy="true"]');
}

/** @param {import('playwright-core').Page} page */
async function violations(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    /** @type {{ violations: { id: string, nodes: { html: string, failureSummary: string }[] }[] }} */
    // @ts-expect-error: axe has put itself there.
    const { violations } = await window.axe.run();
    return violations.map(({ id, nodes }) => [
      id,
      ...nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary}`),
    ]);
  });
}
