import { SymbolonError } from '../client.js';
import { focusHeading } from '../frame.js';
import { client } from '../session.js';
import { Task } from '../task.js';
import { html } from '../vendor/lit-html.js';

/**
 * Verifies an address by a mailed link: when a button is pressed, since scanners of mail open links, too,
 * and run the scripts behind them.
 *
 * @param {() => void} update
 * @param {string} token From the link.
 * @returns {import('../frame.js').View}
 */
export function verify(update, token) {
  let isDone = false;
  let isSpent = false;
  const task = new Task(update);
  const verifyNow = async () => {
    await task.change(async () => {
      await client.verifyEmail(token).catch((error) => {
        isSpent = error instanceof SymbolonError && error.code === 'TOKEN_INVALID';
        if (!isSpent) throw error;
      });
      isDone = !isSpent;
      return isDone ? 'Your e-mail address is verified.' : '';
    });
    if (isDone || isSpent) focusHeading();
  };
  const rest = () => {
    if (isDone) return html`<a class="button primary" href="/account">Go to your account</a>`;
    if (isSpent) return spent();
    if (!token) return html`<p>The link that led here is not complete. Open the one in your mail again.</p>`;
    return html`
      <p>Press the button to show that the mail has reached you.</p>
      <button class="primary" aria-busy=${task.isBusy} aria-disabled=${task.isBusy} @click=${verifyNow}>
        Verify my address
      </button>
    `;
  };
  return {
    title: 'Verify your address',
    width: 'form',
    content: () => html`<div class="card">${task.outcome} ${rest()}</div>`,
  };
}

function spent() {
  const isVerified = client.session.user?.emailVerified;
  return html`
    <p class="notice ${isVerified ? '' : 'bad'}" role="alert">
      This link is not good any more: it was used, it is older than 24 hours, or there is a newer one.
      ${isVerified ? 'But your address is verified.' : 'Your account has a button that sends you another.'}
    </p>
    <a class="button" href="/account">Go to your account</a>
  `;
}
