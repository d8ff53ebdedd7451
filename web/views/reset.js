import { newPasswordField } from '../fields.js';
import { Form } from '../form.js';
import { focusHeading } from '../frame.js';
import { client } from '../session.js';
import { html } from '../vendor/lit-html.js';

/** For who is signed in here all the same, so with another account. */
const OTHERS = 'Wherever somebody was signed in to that account, this has ended. Here another one is signed in.';

/**
 * Sets a new password by a mailed link.
 *
 * @param {() => void} update
 * @param {string} token From the link.
 * @returns {import('../frame.js').View}
 */
export function reset(update, token) {
  let isDone = false;
  const form = new Form(update, {
    id: 'reset',
    button: 'Set the password',
    send: async ({ newPassword = '' }) => {
      await client.resetPassword({ token, newPassword });
      // Most likely it was this user's password, and the session here is over, too.
      if (client.session.user) await client.refresh().catch(() => {});
      isDone = true;
      update();
      focusHeading();
    },
    failures: {
      TOKEN_INVALID: {
        message: 'This link is not good any more: it was used, it is older than 30 minutes, or there is a newer one.',
      },
    },
  });
  const content = () => {
    if (isDone) {
      const isSignedIn = client.session.user !== null;
      return html`
        <div class="card">
          <p class="notice good" role="status">
            Your new password is set. ${isSignedIn ? OTHERS : 'You were signed out everywhere.'}
          </p>
          ${
            isSignedIn
              ? html`<a class="button" href="/account">Go to the account that is signed in here</a>`
              : html`<a class="button primary" href="/account/sign-in">Sign in</a>`
          }
        </div>
      `;
    }
    const again = html`<ul class="links">
      <li><a href="/account/forgot">Ask for another link</a></li>
    </ul>`;
    if (!token) {
      return html`
        <p class="card">The link that led here is not complete. Open the one in your mail again.</p>
        ${again}
      `;
    }
    return html`${form.template(newPasswordField(form, { name: 'newPassword', label: 'New password' }))} ${again}`;
  };
  return { title: 'Set a new password', width: 'form', content };
}
