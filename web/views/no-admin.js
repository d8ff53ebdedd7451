import { currentUser } from '../session.js';
import { html } from '../vendor/lit-html.js';

/**
 * For somebody who is signed in, and has no business at `/admin`.
 *
 * @returns {import('../frame.js').View}
 */
export function noAdmin() {
  return {
    title: 'For administrators',
    width: 'form',
    content: () => html`
      <div class="card">
        <p>You are signed in as <strong>${currentUser().email}</strong>, who is not an administrator.</p>
        <a class="button primary" href="/account">Go to your account</a>
      </div>
    `,
  };
}
