/** The page that shows the API's document. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { launch } from './support/browsers.js';
import { PASSWORD, Service } from './support/service.js';
import { watch } from './support/watch.js';

test(
  'the API can be browsed and tried out, with nobody else asked for anything',
  { timeout: 180_000 },
  async (t) => {
    const browser = await launch('chromium');
    t.after(() => browser.close());
    const context = await browser.newContext();
    const service = await Service.start(t);
    await service.register('ada@example.com');
    const faults = await watch(context);
    const page = await context.newPage();
    /** @type {string[]} */
    const elsewhere = [];
    page.on('request', (request) => {
      if (!/^data:/.test(request.url()) && !request.url().startsWith(service.url))
        elsewhere.push(request.url());
    });
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });

    await page.goto(`${service.url}/docs`);
    assert.equal(page.url(), `${service.url}/docs/`);
    await page.getByRole('heading', { name: /^Symbolon/ }).waitFor();
    const login = page.locator('#operations-accounts-login');
    await login.getByText('/auth/login', { exact: false }).click();
    await login.getByText('INVALID_CREDENTIALS').first().waitFor();
    for (const status of ['200', '400', '401', '403', '429', '503']) {
      await login.locator(`tr.response[data-code="${status}"]`).waitFor();
    }
    if (process.env.SCREENSHOTS) {
      await page.screenshot({ path: `${process.env.SCREENSHOTS}/docs.png` });
    }

    await login.getByRole('button', { name: 'Try it out' }).click();
    await login.locator('textarea').fill(JSON.stringify({ email: 'ada@example.com', password: PASSWORD }));
    await login.getByRole('button', { name: 'Execute' }).click();
    await login.locator('.live-responses-table').getByText('accessToken').first().waitFor();
    assert.deepEqual({ faults, elsewhere }, { faults: [], elsewhere: [] });
  },
);
