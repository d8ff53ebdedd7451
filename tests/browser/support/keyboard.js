/** Somebody without a mouse, who sees the page. */

import assert from 'node:assert/strict';

/**
 * The name of what has the focus, nearly as a screen reader says it, and which way the tabulator has to go
 * to what is called `target`.
 *
 * @param {string | undefined} target
 */
function look(target) {
  /** @param {Element | null} element */
  const nameOf = (element) => {
    const label = element instanceof HTMLInputElement ? element.labels?.[0] : undefined;
    const name = element?.getAttribute('aria-label') ?? (label ?? element)?.textContent ?? '';
    return name.replace(/\s+/g, ' ').trim();
  };
  const active = document.activeElement;
  const places = [...document.querySelectorAll('a, button, input, select, summary')];
  const place = places.find((element) => element.checkVisibility() && nameOf(element) === target);
  const isBefore =
    place && active && place.compareDocumentPosition(active) & Node.DOCUMENT_POSITION_FOLLOWING;
  return { name: nameOf(active), way: isBefore && active !== document.body ? 'Shift+Tab' : 'Tab' };
}

/**
 * What has the focus.
 *
 * @param {import('playwright-core').Page} page
 */
export async function focused(page) {
  const { name } = await page.evaluate(look, undefined);
  return name;
}

/**
 * Presses the tabulator until what has this name has the focus.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} target
 */
export async function tabTo(page, target) {
  /** @type {string[]} */
  const passed = [];
  while (passed.length < 60) {
    const { name, way } = await page.evaluate(look, target);
    if (name === target) return;
    passed.push(name);
    await page.keyboard.press(way);
  }
  assert.fail(`${target} is not among ${passed.join(' | ')}`);
}

/**
 * Goes to a field and types.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} label
 * @param {string} text
 */
export async function type(page, label, text) {
  await tabTo(page, label);
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type(text);
}

/**
 * Goes to a button or a link and presses it.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} name
 */
export async function press(page, name) {
  await tabTo(page, name);
  await page.keyboard.press('Enter');
}
