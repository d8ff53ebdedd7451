/**
 * What goes wrong on the pages of a profile from now on: what their policy refuses (CSP), and errors that
 * nobody has caught.
 *
 * @param {import('playwright-core').BrowserContext} context
 */
export async function watch(context) {
  /** @type {string[]} */
  const faults = [];
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) => {
      console.error(`policy violated: ${violatedDirective} ${blockedURI} ${sourceFile}`);
    });
  });
  context.on('page', (page) => {
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => {
      if (/policy/i.test(message.text())) faults.push(message.text());
    });
  });
  return faults;
}
