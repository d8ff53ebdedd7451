import { newPasswordField, passwordField, usernameFor } from '../fields.js';
import { Form } from '../form.js';
import { client, currentUser } from '../session.js';
import { html } from '../vendor/lit-html.js';

/**
 * @param {() => void} update
 * @returns {import('../frame.js').View}
 */
export function password(update) {
  const form = new Form(update, {
    id: 'change-password',
    button: 'Change the password',
    send: async ({ currentPassword = '', newPassword = '' }) => {
      await client.changePassword({ currentPassword, newPassword });
      return 'Your password is changed. On all other devices you were signed out.';
    },
    failures: { INVALID_CREDENTIALS: { field: 'currentPassword', message: 'This is not your password.' } },
  });
  return {
    title: 'Change your password',
    width: 'form',
    content: () => html`
      <p>You stay signed in here. On all other devices you will be signed out.</p>
      ${form.template(html`
        ${usernameFor(currentUser().email)}
        ${passwordField(form, { name: 'currentPassword', label: 'Current password' })}
        ${newPasswordField(form, { name: 'newPassword', label: 'New password' })}
      `)}
      <ul class="links">
        <li><a href="/account/forgot">I forgot my password</a></li>
      </ul>
    `,
  };
}
